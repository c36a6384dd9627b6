# cmake --install: headers, libraries, the command line, pkg-config, CMake package, man pages; and CPack's .deb.
include(CMakePackageConfigHelpers)

# Libraries outside the system's folders (Spack, conda, modules) are found at run time by their path.
set(rpath)
foreach(library IN LISTS VarveHDF5_LIBRARIES DEFLATE_LIBRARY ZSTD_LIBRARY isal_library OPENBLAS_LIBRARY SLEEF_LIBRARY FFTW_LIBRARY FFTWF_LIBRARY MPI_C_LIBRARIES)
    if(IS_ABSOLUTE "${library}")
        get_filename_component(folder ${library} REALPATH)
        get_filename_component(folder ${folder} DIRECTORY)
        if(NOT folder MATCHES "^(/usr)?/lib(64)?(/[^/]*-linux-gnu[^/]*)?(/openmpi/lib)?$")
            list(APPEND rpath ${folder})
        endif()
    endif()
endforeach()
list(REMOVE_DUPLICATES rpath)

set(installed varve_shared)
if(TARGET varve)
    list(APPEND installed varve)
endif()
set_target_properties(${installed} PROPERTIES INSTALL_RPATH "${rpath}")
install(TARGETS varve_shared EXPORT varveTargets)
install(TARGETS varve_static)
if(TARGET varve)
    install(TARGETS varve)
endif()
install(DIRECTORY include/varve DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/include/varve/version.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/varve)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# --- find_package(varve) gives varve::varve ---

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/varve)
install(EXPORT varveTargets NAMESPACE varve:: DESTINATION ${package_dir})
configure_package_config_file(cmake/varveConfig.cmake.in varveConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(varveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/varveConfig.cmake ${PROJECT_BINARY_DIR}/varveConfigVersion.cmake DESTINATION ${package_dir})

# --- pkg-config; the private part is for static linking ---

set(private_libraries)
foreach(library IN LISTS VarveHDF5_LIBRARIES MPI_C_LIBRARIES DEFLATE_LIBRARY ZSTD_LIBRARY isal_library OPENBLAS_LIBRARY SLEEF_LIBRARY FFTW_LIBRARY FFTWF_LIBRARY)
    if(library MATCHES "^[^-/]")
        string(PREPEND library -l)
    endif()
    string(APPEND private_libraries " ${library}")
endforeach()
string(APPEND private_libraries " -pthread -lm")
configure_file(cmake/varve.pc.in varve.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/varve.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# --- manual pages: written by the command line itself, so that they say what it does ---

if(TARGET varve AND NOT CMAKE_CROSSCOMPILING)
    set(stamp ${PROJECT_BINARY_DIR}/man/stamp)
    add_custom_command(OUTPUT ${stamp}
        COMMAND ${CMAKE_COMMAND} -DVARVE=$<TARGET_FILE:varve> -DOUTPUT=${PROJECT_BINARY_DIR}/man/varve.1
                -P ${PROJECT_SOURCE_DIR}/cmake/man.cmake
        COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
        DEPENDS varve cmake/man.cmake VERBATIM)
    add_custom_target(man ALL DEPENDS ${stamp})
endif()
install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL FILES_MATCHING PATTERN "*.1")
install(DIRECTORY ${PROJECT_BINARY_DIR}/completion/bash/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions OPTIONAL)
install(DIRECTORY ${PROJECT_BINARY_DIR}/completion/zsh/ DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions OPTIONAL)

# --- the .deb: cpack -G DEB ---

set(CPACK_PACKAGE_NAME varve)
set(CPACK_PACKAGE_CONTACT "The Varve developers <varve@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_FILE ${PROJECT_SOURCE_DIR}/cmake/description.txt)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
if(VARVE_MPI_FLAVOUR STREQUAL "MPICH")
    set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "mpich, libcairo2")
else()
    set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "openmpi-bin, libcairo2")
endif()
include(CPack)
