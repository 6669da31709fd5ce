// Says which kernels the library runs on this processor, as one JSON object.
import { defaultBackend, nativeBlas } from "@chronograd/autodiff";

const { found, what } = nativeBlas();
console.log(
  JSON.stringify({
    chronograd: `${defaultBackend().kernels.name}${found ? "" : `; BLAS: ${what}`}`,
  }),
);
