# How a file under tests/ becomes CTest entries.
#
# Every test has a timeout, which is also what finds deadlocks. PROCESSORS is what a test keeps busy; with `ctest -j $(nproc)` two
# heavy tests do not meet on a small machine. A test that needs more than the machine has runs alone, with ranks sharing cores. What may take
# longest starts first.

# Which preset this build corresponds to, for the `builds:` line of a test.
if(VARVE_SANITIZE MATCHES "address")
    set(varve_build asan)
elseif(VARVE_SANITIZE MATCHES "thread")
    set(varve_build tsan)
elseif(CMAKE_C_COMPILER_ID MATCHES "Clang")
    set(varve_build clang)
elseif(CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(varve_build debug)
else()
    set(varve_build release)
endif()
set(varve_slow 1)
if(VARVE_SANITIZE)
    set(varve_slow 5)
endif()

find_program(VARVE_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(VARVE_PYTHON NAMES python3 REQUIRED)

# mpirun in a test: more ranks than cores, as root, in containers. The variables of the other Open MPI generation do no harm.
set(varve_test_environment
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
    PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
    OMP_NUM_THREADS=1 LC_ALL=C.UTF-8 TZ=UTC
    VARVE_SOURCE=${PROJECT_SOURCE_DIR}
    VARVE_BUILD=${PROJECT_BINARY_DIR}
    VARVE_MPIRUN=${MPIEXEC_EXECUTABLE}
    VARVE_TEST_SLOW=${varve_slow}
    VARVE_CC=${CMAKE_C_COMPILER}
    VARVE_CMAKE=${CMAKE_COMMAND}
    VARVE_HELPERS=${PROJECT_BINARY_DIR}/tests
    VARVE_PYTHON=${VARVE_PYTHON}
    VV_TEST_PYTHON=${VARVE_PYTHON}
    # Ranks of one machine talk through shared memory: looking for other networks, and for graphics cards, is half of what mpirun takes.
    OMPI_MCA_pml=ob1 OMPI_MCA_btl=vader,self HWLOC_PLUGINS_PATH=/nonexistent
    ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
    UBSAN_OPTIONS=print_stacktrace=1
    LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizers/lsan.txt:print_suppressions=0
    TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizers/tsan.txt:ignore_noninstrumented_modules=1:allocator_may_return_null=1)
if(TARGET varve)
    list(APPEND varve_test_environment VARVE=$<TARGET_FILE:varve>)
endif()

# Sets, in the caller, what the comments near the top of a file say: ranks, timeout, cores, builds.
function(varve_read_notes source default_timeout default_cores default_builds)
    set(ranks 1 2 3 4)
    set(timeout ${default_timeout})
    set(cores ${default_cores})
    set(builds ${default_builds})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} lines LIMIT_COUNT 40 REGEX "^[/* #]*(ranks|timeout|cores|builds): [a-z0-9 ]+")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "(ranks|timeout|cores|builds): ([a-z0-9 ]+)" matched "${line}")
        string(STRIP "${CMAKE_MATCH_2}" value)
        string(REPLACE " " ";" ${CMAKE_MATCH_1} "${value}")
    endforeach()
    math(EXPR timeout "${timeout} * ${varve_slow}")
    foreach(name IN ITEMS ranks timeout cores builds)
        set(${name} ${${name}} PARENT_SCOPE)
    endforeach()
endfunction()

function(varve_set_test name timeout cores)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} COST ${timeout} PROCESSORS ${cores} SKIP_RETURN_CODE 77
        ENVIRONMENT "${varve_test_environment};VARVE_TEST_TIMEOUT=${timeout}" WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

function(varve_test_program target source)
    add_executable(${target} ${source})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/include)
    target_include_directories(${target} SYSTEM PRIVATE ${CMOCKA_INCLUDE_DIR})
    target_compile_definitions(${target} PRIVATE VV_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target} PRIVATE varve_flags varve_static ${CMOCKA_LIBRARY})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${ARGN})
endfunction()

function(varve_mpirun ranks out)
    set(options)
    if(VARVE_MPI_FLAVOUR STREQUAL "Open MPI")
        set(options --oversubscribe --bind-to none)
    endif()
    set(${out} ${MPIEXEC_EXECUTABLE} ${options} -n ${ranks} PARENT_SCOPE)
endfunction()

function(varve_launcher_test source)
    add_executable(launcher_hello ${source})
    target_link_libraries(launcher_hello PRIVATE varve_flags MPI::MPI_C)
    set_target_properties(launcher_hello PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    varve_mpirun(2 mpirun)
    add_test(NAME launcher COMMAND ${mpirun} $<TARGET_FILE:launcher_hello>)
    varve_set_test(launcher 60 2)
    # with the transports that users get
    set_tests_properties(launcher PROPERTIES FIXTURES_SETUP launcher PASS_REGULAR_EXPRESSION "hello from 2 ranks"
        ENVIRONMENT_MODIFICATION "OMPI_MCA_pml=unset:;OMPI_MCA_btl=unset:;HWLOC_PLUGINS_PATH=unset:")
endfunction()

function(varve_unit_test source)
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "" name ${name})
    varve_read_notes(${source} 300 1 ${varve_build})
    varve_test_program(unit_${name} ${source} unit)
    if(varve_build IN_LIST builds)
        add_test(NAME unit.${name} COMMAND unit_${name})
        varve_set_test(unit.${name} ${timeout} ${cores})
    endif()
endfunction()

function(varve_fuzz_test source)
    get_filename_component(name ${source} NAME_WE)
    varve_test_program(${name} ${source} fuzz)
    if(VARVE_FUZZ)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        return()
    endif()
    target_sources(${name} PRIVATE fuzz/standalone.c)
    string(REGEX REPLACE "^fuzz_" "" short ${name})
    add_test(NAME fuzz.${short} COMMAND ${name} -seconds=3)
    varve_set_test(fuzz.${short} 120 1)
endfunction()

function(varve_mpi_test source)
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "" name ${name})
    varve_read_notes(${source} 300 1 ${varve_build})
    if(varve_build STREQUAL "clang") # who compiled it does not show in how ranks talk
        set(ranks 3)
    endif()
    varve_test_program(mpi_${name} ${source} mpi)
    if(varve_build IN_LIST builds)
        foreach(n IN LISTS ranks)
            varve_mpirun(${n} mpirun)
            add_test(NAME mpi.${name}@${n} COMMAND ${mpirun} $<TARGET_FILE:mpi_${name}>)
            varve_set_test(mpi.${name}@${n} ${timeout} ${n})
            set_tests_properties(mpi.${name}@${n} PROPERTIES FIXTURES_REQUIRED launcher)
        endforeach()
    endif()
endfunction()

# A program that system tests start, built as a user's program is.
function(varve_helper source)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE varve_flags varve_shared)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

function(varve_script_test group source)
    get_filename_component(extension ${source} LAST_EXT)
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "" name ${name})
    varve_read_notes(${source} 600 1 "release;debug")
    set(interpreter bash)
    if(extension STREQUAL ".py")
        set(interpreter ${VARVE_PYTHON})
    endif()
    if(varve_build IN_LIST builds)
        add_test(NAME ${group}.${name} COMMAND ${interpreter} ${source})
        varve_set_test(${group}.${name} ${timeout} ${cores})
        if(group STREQUAL "sys")
            set_tests_properties(${group}.${name} PROPERTIES FIXTURES_REQUIRED launcher)
        endif()
    endif()
endfunction()
