import { type FlowTable, flowTable } from "../figures/flowTable.ts";

declare const data: FlowTable;

export { data };

export default {
  load: flowTable,
};
