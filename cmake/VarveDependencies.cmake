# Finds what Varve is built on and puts it into one target: varve_dependencies. MPI comes first, because HDF5 has to be built for the
# same MPI. Whatever is missing or does not fit stops here with advice (cmake/VarveAdvice.cmake), never in the middle of compiling.
include(VarveAdvice)

set(CMAKE_THREAD_PREFER_PTHREAD TRUE)
set(THREADS_PREFER_PTHREAD_FLAG TRUE)
find_package(Threads REQUIRED)
find_package(PkgConfig QUIET)

# --- MPI ---

find_package(MPI QUIET COMPONENTS C)
if(NOT MPI_C_FOUND)
    find_program(varve_mpirun NAMES mpirun mpiexec)
    if(varve_mpirun)
        set(found "Found only ${varve_mpirun}: a runtime without the compiler wrapper and the headers.")
    else()
        set(found "Found neither mpicc nor mpirun on the PATH.")
    endif()
    varve_missing(mpi "MPI for C is missing." "${found}" "To name one: -DMPI_C_COMPILER=/path/to/mpicc or -DMPI_HOME=/path")
endif()

set(mpi_includes ${MPI_C_INCLUDE_DIRS})
list(TRANSFORM mpi_includes PREPEND -I)
file(WRITE ${PROJECT_BINARY_DIR}/probe/mpi.c "#include <mpi.h>\n")
execute_process(COMMAND ${CMAKE_C_COMPILER} -E -dM ${mpi_includes} ${PROJECT_BINARY_DIR}/probe/mpi.c
    OUTPUT_VARIABLE mpi_macros ERROR_QUIET)
if(mpi_macros MATCHES "#define (OPEN_MPI|OMPI_MAJOR_VERSION) ")
    set(VARVE_MPI_FLAVOUR "Open MPI")
elseif(mpi_macros MATCHES "#define (MPICH_VERSION|MPICH_NUMVERSION|I_MPI_NUMVERSION|CRAY_MPICH_VERSION) ")
    set(VARVE_MPI_FLAVOUR "MPICH")
else()
    set(VARVE_MPI_FLAVOUR "an MPI of unknown make")
endif()
if(mpi_macros MATCHES "#define MPI_VERSION ([0-9]+)" AND CMAKE_MATCH_1 LESS 3)
    varve_missing(mpi "MPI 3 or newer is needed." "Found ${VARVE_MPI_FLAVOUR}, MPI standard ${CMAKE_MATCH_1}, in ${MPI_C_INCLUDE_DIRS}")
endif()

# --- parallel HDF5, for this MPI ---

find_package(VarveHDF5 QUIET)
if(NOT VarveHDF5_FOUND)
    varve_missing(hdf5 "Parallel HDF5 (1.10.5 or newer, with its high-level library) for ${VARVE_MPI_FLAVOUR} is missing."
        ${VarveHDF5_REPORT} "To name one: -DHDF5_ROOT=/path (it is then the only one looked at)")
endif()

# --- libdeflate ---

if(PKG_CONFIG_FOUND)
    pkg_check_modules(deflate_pc QUIET libdeflate)
endif()
find_path(DEFLATE_INCLUDE_DIR libdeflate.h HINTS ${deflate_pc_INCLUDE_DIRS})
find_library(DEFLATE_LIBRARY deflate HINTS ${deflate_pc_LIBRARY_DIRS})
if(NOT DEFLATE_INCLUDE_DIR OR NOT DEFLATE_LIBRARY)
    if(DEFLATE_LIBRARY)
        set(found "Found ${DEFLATE_LIBRARY}, but not its header libdeflate.h.")
    else()
        set(found "Found neither libdeflate.h nor the library.")
    endif()
    varve_missing(deflate "libdeflate (compression) is missing." "${found}" "To name one: -DCMAKE_PREFIX_PATH=/path")
endif()

# --- libzstd ---

if(PKG_CONFIG_FOUND)
    pkg_check_modules(zstd_pc QUIET libzstd)
endif()
find_path(ZSTD_INCLUDE_DIR zstd.h HINTS ${zstd_pc_INCLUDE_DIRS})
find_library(ZSTD_LIBRARY zstd HINTS ${zstd_pc_LIBRARY_DIRS})
if(NOT ZSTD_INCLUDE_DIR OR NOT ZSTD_LIBRARY)
    if(ZSTD_LIBRARY)
        set(found "Found ${ZSTD_LIBRARY}, but not its header zstd.h.")
    else()
        set(found "Found neither zstd.h nor the library.")
    endif()
    varve_missing(zstd "libzstd (compression) is missing." "${found}" "To name one: -DCMAKE_PREFIX_PATH=/path")
endif()

# --- ISA-L, if there: deflate at level 1 three times as fast as libdeflate ---

find_path(ISAL_INCLUDE_DIR isa-l/igzip_lib.h)
find_library(ISAL_LIBRARY isal)
option(VARVE_ISAL "Use ISA-L for deflate level 1 where it is installed" ON)
set(isal_library)
if(VARVE_ISAL AND ISAL_INCLUDE_DIR AND ISAL_LIBRARY)
    set(isal_library ${ISAL_LIBRARY})
endif()

# --- OpenBLAS: BLAS with its C interface ---

if(PKG_CONFIG_FOUND)
    pkg_check_modules(openblas_pc QUIET openblas)
endif()
find_path(OPENBLAS_INCLUDE_DIR cblas.h HINTS ${openblas_pc_INCLUDE_DIRS} PATH_SUFFIXES openblas)
find_library(OPENBLAS_LIBRARY NAMES openblas openblaso openblasp HINTS ${openblas_pc_LIBRARY_DIRS})
if(NOT OPENBLAS_INCLUDE_DIR OR NOT OPENBLAS_LIBRARY)
    if(OPENBLAS_LIBRARY)
        set(found "Found ${OPENBLAS_LIBRARY}, but not its header cblas.h.")
    else()
        set(found "Found neither cblas.h nor the library.")
    endif()
    varve_missing(openblas "OpenBLAS (matrix products) is missing." "${found}" "To name one: -DCMAKE_PREFIX_PATH=/path")
endif()

# --- Random123: headers only ---

find_path(RANDOM123_INCLUDE_DIR Random123/philox.h)
if(NOT RANDOM123_INCLUDE_DIR)
    varve_missing(random123 "Random123 (random numbers) is missing." "There is no Random123/philox.h where headers are looked for."
        "To name one: -DCMAKE_PREFIX_PATH=/path")
endif()

# --- SLEEF: transcendental functions by vectors ---

if(PKG_CONFIG_FOUND)
    pkg_check_modules(sleef_pc QUIET sleef)
endif()
find_path(SLEEF_INCLUDE_DIR sleef.h HINTS ${sleef_pc_INCLUDE_DIRS})
find_library(SLEEF_LIBRARY sleef HINTS ${sleef_pc_LIBRARY_DIRS})
if(NOT SLEEF_INCLUDE_DIR OR NOT SLEEF_LIBRARY)
    if(SLEEF_LIBRARY)
        set(found "Found ${SLEEF_LIBRARY}, but not its header sleef.h.")
    else()
        set(found "Found neither sleef.h nor the library.")
    endif()
    varve_missing(sleef "SLEEF (exp, log, sin ... by vectors) is missing." "${found}" "To name one: -DCMAKE_PREFIX_PATH=/path")
endif()

# --- FFTW: Fourier transforms, in double and in single precision ---

if(PKG_CONFIG_FOUND)
    pkg_check_modules(fftw_pc QUIET fftw3)
endif()
find_path(FFTW_INCLUDE_DIR fftw3.h HINTS ${fftw_pc_INCLUDE_DIRS})
find_library(FFTW_LIBRARY fftw3 HINTS ${fftw_pc_LIBRARY_DIRS})
find_library(FFTWF_LIBRARY fftw3f HINTS ${fftw_pc_LIBRARY_DIRS})
if(NOT FFTW_INCLUDE_DIR OR NOT FFTW_LIBRARY OR NOT FFTWF_LIBRARY)
    if(FFTW_LIBRARY AND FFTW_INCLUDE_DIR)
        set(found "Found ${FFTW_LIBRARY}, but not fftw3f, which is the same in single precision.")
    elseif(FFTW_LIBRARY)
        set(found "Found ${FFTW_LIBRARY}, but not its header fftw3.h.")
    else()
        set(found "Found neither fftw3.h nor the library.")
    endif()
    varve_missing(fftw "FFTW (Fourier transforms) is missing." "${found}" "To name one: -DCMAKE_PREFIX_PATH=/path")
endif()

# --- cairo, if there: pictures in PNG and PDF. Only its headers: the library is loaded when the first such picture is drawn ---

if(PKG_CONFIG_FOUND)
    pkg_check_modules(cairo_pc QUIET cairo)
endif()
find_path(CAIRO_INCLUDE_DIR cairo-pdf.h HINTS ${cairo_pc_INCLUDE_DIRS} PATH_SUFFIXES cairo)
option(VARVE_CAIRO "Draw pictures in PNG and PDF by cairo, where its headers are installed" ON)

# --- CMocka, for the tests ---

if(VARVE_TESTS)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(cmocka_pc QUIET cmocka)
    endif()
    find_path(CMOCKA_INCLUDE_DIR cmocka.h HINTS ${cmocka_pc_INCLUDE_DIRS})
    find_library(CMOCKA_LIBRARY cmocka HINTS ${cmocka_pc_LIBRARY_DIRS})
    if(NOT CMOCKA_INCLUDE_DIR OR NOT CMOCKA_LIBRARY)
        varve_missing(cmocka "CMocka (the tests' framework) is missing." "Without tests: -DVARVE_TESTS=OFF")
    endif()
endif()

add_library(varve_dependencies INTERFACE)
target_include_directories(varve_dependencies SYSTEM INTERFACE
    ${VarveHDF5_INCLUDE_DIRS} ${DEFLATE_INCLUDE_DIR} ${ZSTD_INCLUDE_DIR} ${OPENBLAS_INCLUDE_DIR} ${RANDOM123_INCLUDE_DIR}
    ${SLEEF_INCLUDE_DIR} ${FFTW_INCLUDE_DIR})
target_link_libraries(varve_dependencies INTERFACE ${VarveHDF5_LIBRARIES} MPI::MPI_C ${DEFLATE_LIBRARY} ${ZSTD_LIBRARY} ${OPENBLAS_LIBRARY} ${SLEEF_LIBRARY}
    ${FFTW_LIBRARY} ${FFTWF_LIBRARY}
    Threads::Threads m)
if(isal_library)
    target_include_directories(varve_dependencies SYSTEM INTERFACE ${ISAL_INCLUDE_DIR})
    target_link_libraries(varve_dependencies INTERFACE ${isal_library})
    target_compile_definitions(varve_dependencies INTERFACE VARVE_HAVE_ISAL)
endif()
if(VARVE_MPI_FLAVOUR STREQUAL "MPICH" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # MPICH's headers declare MPI_STATUSES_IGNORE in a way that gcc takes for an array that is too small.
    target_compile_options(varve_dependencies INTERFACE -Wno-stringop-overflow)
endif()

message(STATUS "MPI: ${VARVE_MPI_FLAVOUR}, ${MPI_C_COMPILER}")
message(STATUS "HDF5: ${VarveHDF5_VERSION}, parallel, ${VarveHDF5_SOURCE}")
message(STATUS "libdeflate: ${DEFLATE_LIBRARY}")
message(STATUS "libzstd: ${ZSTD_LIBRARY}")
if(isal_library)
    message(STATUS "ISA-L: ${isal_library}")
else()
    message(STATUS "ISA-L: not used; deflate level 1 will be libdeflate's")
endif()
message(STATUS "OpenBLAS: ${OPENBLAS_LIBRARY}")
message(STATUS "SLEEF: ${SLEEF_LIBRARY}")
message(STATUS "FFTW: ${FFTW_LIBRARY}, ${FFTWF_LIBRARY}")
if(VARVE_CAIRO AND CAIRO_INCLUDE_DIR)
    message(STATUS "cairo: ${CAIRO_INCLUDE_DIR}")
else()
    message(STATUS "cairo: not used; pictures will be SVG only")
endif()
