# The flags that every file of Varve is built with, as a target: varve_flags. Only the baseline of the target machine: no -march here or
# anywhere; code for newer instructions lives in functions of its own that are chosen at run time.
add_library(varve_flags INTERFACE)
target_compile_definitions(varve_flags INTERFACE _GNU_SOURCE)
target_compile_options(varve_flags INTERFACE
    -Wall -Wextra -Wstrict-prototypes -Wundef -Wpointer-arith
    # The same bits from every compiler and every machine: no multiplication is fused with an addition unless the source says so.
    -ffp-contract=off
    # Nobody reads errno after sqrt() or the exception flags after a comparison; keeping them stops loops from being vectorised.
    -fno-math-errno -fno-trapping-math)
target_link_options(varve_flags INTERFACE
    -Wl,--as-needed
    # Functions are named between ranks by build id and offset.
    -Wl,--build-id)

if(VARVE_WERROR)
    target_compile_options(varve_flags INTERFACE -Werror)
endif()

if(VARVE_SANITIZE)
    set(sanitize -fsanitize=${VARVE_SANITIZE} -fno-sanitize-recover=all)
    # with sanitizers gcc loses track of what is initialised
    target_compile_options(varve_flags INTERFACE ${sanitize} -Wno-maybe-uninitialized)
    target_link_options(varve_flags INTERFACE ${sanitize} -Wl,--export-dynamic-symbol=dlclose) # exec/net/mpi.c has one
endif()
