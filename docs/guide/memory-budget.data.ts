import { memoryTable, type Row } from "../figures/memoryTable.ts";

declare const data: readonly Row[];

export { data };

export default {
  load: memoryTable,
};
