// What a thread of a pool runs in a browser.
import { type Assignment, serve } from "./serve.ts";

const scope = globalThis as unknown as { document?: unknown; onmessage: unknown; close(): void };
if (scope.document === undefined) {
  scope.onmessage = ({ data }: { readonly data: Assignment }) => {
    serve(data);
    scope.close();
  };
}
