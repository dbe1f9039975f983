# bench_lab: a network of a thousand spokes beside one of a hundred.
file(CONFIGURE OUTPUT bench_lab @ONLY CONTENT "#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec sh @PROJECT_SOURCE_DIR@/tests/lab/scale.sh @PROJECT_BINARY_DIR@/examples/lab/lab \"$@\"
")
file(CHMOD ${CMAKE_CURRENT_BINARY_DIR}/bench_lab
  PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
