/* The yardstick: parallel HDF5's own way to write a compressed variable. Every rank has its part of the steps, and all write chunk by chunk in
 * collective calls, through MPI-IO, with HDF5's shuffle and zlib.
 *
 *     mpirun -n 2 ./collective IN.nc VARIABLE OUT.h5 STEPS LEVEL      (level 0: no filters)
 *
 * The input is a contiguous variable (time, lat, lon) of f32; a chunk of the output is one step, and a call writes as many of them as make about
 * 16 MB a rank. Prints the seconds from opening to the end of closing. */
#include <fcntl.h>
#include <hdf5.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALL = 16 << 20 };

static void need(int good, const char *what)
{
    if (good) return;
    fprintf(stderr, "collective: %s\n", what);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* Where a contiguous variable lies, and its shape. */
static haddr_t locate(const char *path, const char *name, hsize_t n[3])
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), data = H5Dopen2(file, name, H5P_DEFAULT);
    need(data >= 0, "no such variable");
    hid_t space = H5Dget_space(data);
    need(H5Sget_simple_extent_ndims(space) == 3, "the variable has not three dimensions");
    H5Sget_simple_extent_dims(space, n, NULL);
    haddr_t at = H5Dget_offset(data);
    need(at != HADDR_UNDEF, "the variable is not contiguous");
    H5Sclose(space), H5Dclose(data), H5Fclose(file);
    return at;
}

static hid_t create(const char *path, int level, const hsize_t n[3], hid_t *file)
{
    const hsize_t chunk[3] = {1, n[1], n[2]};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_fapl_mpio(access, MPI_COMM_WORLD, MPI_INFO_NULL);
    H5Pset_coll_metadata_write(access, 1);
    H5Pset_all_coll_metadata_ops(access, 1);
    *file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    need(*file >= 0, "the output cannot be created");
    H5Pset_chunk(list, 3, chunk);
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    if (level > 0) H5Pset_shuffle(list), H5Pset_deflate(list, (unsigned)level);
    hid_t space = H5Screate_simple(3, n, NULL);
    hid_t data = H5Dcreate2(*file, "t2m", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    need(data >= 0, "the variable cannot be created");
    H5Sclose(space), H5Pclose(list), H5Pclose(access);
    return data;
}

int main(int argc, char **argv)
{
    int rank, size;
    hsize_t n[3];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    need(argc == 6, "IN.nc VARIABLE OUT.h5 STEPS LEVEL");
    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime();
    haddr_t at = locate(argv[1], argv[2], n);
    n[0] = strtoull(argv[4], NULL, 10);
    hid_t file, data = create(argv[3], atoi(argv[5]), n, &file), transfer = H5Pcreate(H5P_DATASET_XFER);
    H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE);
    const size_t step = n[1] * n[2] * sizeof(float);
    hsize_t share = (n[0] + (hsize_t)size - 1) / (hsize_t)size, first = share * (hsize_t)rank, some = CALL / step + 1;
    char *room = malloc(some * step);
    int in = open(argv[1], O_RDONLY);
    need(room && in >= 0, "no memory, or no input");
    for (hsize_t done = 0; done < share; done += some) {
        hsize_t from = first + done, most = first + share < n[0] ? first + share : n[0];
        hsize_t count[3] = {from >= most ? 0 : most - from < some ? most - from : some, n[1], n[2]};
        const hsize_t start[3] = {from, 0, 0};
        size_t bytes = count[0] * step;
        need(pread(in, room, bytes, (off_t)(at + from * step)) == (ssize_t)bytes, "short read");
        hid_t memory = H5Screate_simple(3, count, NULL), space = H5Dget_space(data);
        if (count[0] > 0)
            H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        else
            H5Sselect_none(space), H5Sselect_none(memory);
        need(H5Dwrite(data, H5T_IEEE_F32LE, memory, space, transfer, room) >= 0, "a write failed");
        H5Sclose(space), H5Sclose(memory);
    }
    H5Pclose(transfer), H5Dclose(data);
    need(H5Fclose(file) >= 0, "the output cannot be closed");
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) printf("%.3f\n", MPI_Wtime() - begin);
    MPI_Finalize();
    return 0;
}
