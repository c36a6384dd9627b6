# Parallel HDF5 for the MPI in use. CMake's own module takes the first HDF5 it meets, which on most machines is a serial one, and says
# nothing about the MPI behind a parallel one. Here every installation that the machine tells of is a candidate; each is examined and
# either taken or reported with the reason why not.
#
# Candidates, in this order: HDF5_ROOT (variable or environment; when given it is the only one); what an environment names (HDF5_DIR,
# HDF5_HOME, CONDA_PREFIX); pkg-config; the compiler wrappers (h5pcc and its relatives, asked with -show).
# A candidate must have H5pubconf.h with H5_HAVE_PARALLEL (read by the preprocessor: distributions wrap that header), be new enough,
# have libhdf5 and libhdf5_hl, be built for the same make of MPI (seen from the symbols that the library wants), and link.
#
# Sets VarveHDF5_FOUND, _VERSION, _INCLUDE_DIRS, _LIBRARIES, _SOURCE (where it was found) and _REPORT (a list of lines: what was found
# and why it was not taken). Reads VARVE_MPI_FLAVOUR and MPI_C_INCLUDE_DIRS.
set(VarveHDF5_OLDEST 1.10.5)
set(VarveHDF5_FOUND FALSE)
set(VarveHDF5_REPORT)

# --- examining a candidate ---

# Macros of a header as the compiler sees it with these include directories; empty when it is not there.
function(varve_hdf5_macros header includes out)
    list(TRANSFORM includes PREPEND -I)
    file(WRITE ${PROJECT_BINARY_DIR}/probe/header.c "#include <${header}>\n")
    execute_process(COMMAND ${CMAKE_C_COMPILER} -E -dM ${includes} ${PROJECT_BINARY_DIR}/probe/header.c
        OUTPUT_VARIABLE macros ERROR_QUIET)
    set(${out} "${macros}" PARENT_SCOPE)
endfunction()

# The make of MPI that a library was built for. Open MPI's headers turn MPI_COMM_WORLD and the like into symbols named ompi_...
function(varve_hdf5_mpi library out)
    file(STRINGS ${library} symbols REGEX "ompi_mpi_" LIMIT_COUNT 1)
    if(symbols)
        set(${out} "Open MPI" PARENT_SCOPE)
    else()
        set(${out} "MPICH" PARENT_SCOPE)
    endif()
endfunction()

# Sets `reason` of the caller: why this program does not link, empty when it does.
function(varve_hdf5_links includes libraries)
    set(folder ${PROJECT_BINARY_DIR}/probe/hdf5)
    file(WRITE ${folder}/hdf5.c "#include <hdf5.h>\n#include <hdf5_hl.h>\nint main(void)\n{\n"
        "    return H5Pset_fapl_mpio(0, MPI_COMM_WORLD, MPI_INFO_NULL) + H5DSset_scale(0, \"x\");\n}\n")
    try_compile(links ${folder}/build ${folder}/hdf5.c
        CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${includes}"
        LINK_LIBRARIES ${libraries} MPI::MPI_C Threads::Threads m
        OUTPUT_VARIABLE output)
    if(links)
        set(reason "" PARENT_SCOPE)
    else()
        string(REGEX MATCH "[^\n]*(error|undefined reference|cannot find)[^\n]*" line "${output}")
        set(reason "a test program does not link with it: ${line}" PARENT_SCOPE)
    endif()
endfunction()

# Examines one candidate; on success sets the results, else adds a line to the report.
function(varve_hdf5_examine source includes library_dirs rest)
    set(reason)
    varve_hdf5_macros(H5pubconf.h "${includes}" macros)
    string(REGEX MATCH "#define H5_VERSION \"([^\"]+)\"" matched "${macros}")
    set(version ${CMAKE_MATCH_1})
    find_library(library NAMES hdf5 hdf5_openmpi hdf5_mpich PATHS ${library_dirs} NO_DEFAULT_PATH NO_CACHE)
    find_library(high_level NAMES hdf5_hl hdf5_openmpi_hl hdf5_mpich_hl PATHS ${library_dirs} NO_DEFAULT_PATH NO_CACHE)
    if(NOT macros MATCHES "#define H5_")
        set(reason "has no H5pubconf.h (development files are not installed?)")
    elseif(NOT macros MATCHES "#define H5_HAVE_PARALLEL 1")
        set(reason "is serial: HDF5 ${version} built without MPI")
    elseif(version VERSION_LESS VarveHDF5_OLDEST)
        set(reason "is too old: HDF5 ${version}")
    elseif(NOT library)
        set(reason "has headers but no libhdf5 in ${library_dirs}")
    elseif(NOT high_level)
        set(reason "lacks the high-level library libhdf5_hl")
    else()
        varve_hdf5_mpi(${library} made_for)
        set(libraries ${high_level} ${library})
        if(library MATCHES "\\.a$")
            list(APPEND libraries ${rest})
        endif()
        if(NOT made_for STREQUAL VARVE_MPI_FLAVOUR AND NOT VARVE_MPI_FLAVOUR MATCHES "unknown")
            set(reason "is built for ${made_for}, but the MPI in use is ${VARVE_MPI_FLAVOUR}")
        else()
            varve_hdf5_links("${includes};${MPI_C_INCLUDE_DIRS}" "${libraries}")
        endif()
    endif()
    if(reason)
        set(VarveHDF5_REPORT ${VarveHDF5_REPORT} "Not taken: ${source} ${reason}." PARENT_SCOPE)
        return()
    endif()
    set(VarveHDF5_FOUND TRUE PARENT_SCOPE)
    set(VarveHDF5_VERSION ${version} PARENT_SCOPE)
    set(VarveHDF5_INCLUDE_DIRS ${includes} PARENT_SCOPE)
    set(VarveHDF5_LIBRARIES ${libraries} PARENT_SCOPE)
    set(VarveHDF5_SOURCE "${source}" PARENT_SCOPE)
endfunction()

# --- the candidates ---

macro(varve_hdf5_prefix source prefix)
    varve_hdf5_examine("${source}" "${prefix}/include"
        "${prefix}/lib;${prefix}/lib64;${prefix}/lib/${CMAKE_LIBRARY_ARCHITECTURE}" "dl;z;m")
endmacro()

macro(varve_hdf5_pkgconfig name)
    pkg_check_modules(hdf5_pc_${name} QUIET ${name})
    if(hdf5_pc_${name}_FOUND)
        set(places ${hdf5_pc_${name}_LIBRARY_DIRS})
        if(NOT places)
            pkg_get_variable(places ${name} libdir)
        endif()
        varve_hdf5_examine("${name} of pkg-config" "${hdf5_pc_${name}_INCLUDE_DIRS}" "${places}" "${hdf5_pc_${name}_STATIC_LDFLAGS}")
    endif()
endmacro()

macro(varve_hdf5_wrapper name)
    find_program(varve_${name} ${name})
    if(varve_${name})
        execute_process(COMMAND ${varve_${name}} -show OUTPUT_VARIABLE shown ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
        separate_arguments(words UNIX_COMMAND "${shown}")
        set(includes ${words})
        list(FILTER includes INCLUDE REGEX "^-I")
        list(TRANSFORM includes REPLACE "^-I" "")
        set(places ${words})
        list(FILTER places INCLUDE REGEX "^-L")
        list(TRANSFORM places REPLACE "^-L" "")
        set(rest ${words})
        list(FILTER rest INCLUDE REGEX "^-l")
        get_filename_component(bin ${varve_${name}} REALPATH)
        get_filename_component(bin ${bin} DIRECTORY)
        varve_hdf5_examine("${varve_${name}}" "${includes};${bin}/../include" "${places};${bin}/../lib;${bin}/../lib64" "${rest}")
    endif()
endmacro()

if(HDF5_ROOT OR DEFINED ENV{HDF5_ROOT})
    if(NOT HDF5_ROOT)
        set(HDF5_ROOT $ENV{HDF5_ROOT})
    endif()
    varve_hdf5_prefix("HDF5_ROOT=${HDF5_ROOT}" ${HDF5_ROOT})
else()
    foreach(name IN ITEMS HDF5_DIR HDF5_HOME CONDA_PREFIX)
        if(NOT VarveHDF5_FOUND AND EXISTS "$ENV{${name}}/include/H5pubconf.h")
            varve_hdf5_prefix("${name}=$ENV{${name}}" $ENV{${name}})
        endif()
    endforeach()
    if(VARVE_MPI_FLAVOUR STREQUAL "MPICH")
        set(order mpich openmpi)
    else()
        set(order openmpi mpich)
    endif()
    if(PKG_CONFIG_FOUND)
        foreach(name IN LISTS order ITEMS mpi plain)
            if(NOT VarveHDF5_FOUND)
                string(REGEX REPLACE "-plain$" "" name hdf5-${name})
                varve_hdf5_pkgconfig(${name})
            endif()
        endforeach()
    endif()
    list(TRANSFORM order PREPEND h5pcc.)
    foreach(name IN LISTS order ITEMS h5pcc h5cc)
        if(NOT VarveHDF5_FOUND)
            varve_hdf5_wrapper(${name})
        endif()
    endforeach()
    if(NOT VarveHDF5_REPORT)
        set(VarveHDF5_REPORT "Found no HDF5 at all (asked pkg-config and h5pcc).")
    endif()
endif()
