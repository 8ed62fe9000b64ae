// The C face of liblighter_cuda.so: what needs CUDA's own symbols. The program links to none of it: it opens
// libtorch_cuda.so and then this library, both RTLD_NOW | RTLD_GLOBAL, and finds these functions with dlsym.
//
// A function that returns int returns 0 on success; one that returns a pointer returns null on failure. Either then
// leaves a message for ltc_error on the calling OS thread. Tensors are at::Tensor*, as libtch's are, and those
// returned belong to the caller. Current streams, like libtorch's, are per OS thread and device.
#ifndef LIGHTER_CUDA_H
#define LIGHTER_CUDA_H

#ifdef __cplusplus
extern "C" {
#endif

typedef void *ltc_tensor;
typedef void *ltc_stream;
typedef void *ltc_event;

// The number of this interface; a program refuses a library that answers another.
#define LTC_INTERFACE 2
int ltc_interface(void);

const char *ltc_error(void);

// The CUDA versions of the driver and of the runtime as 1000*major + 10*minor; the driver's is 0 without one.
int ltc_versions(int *driver, int *runtime);

// Waits for all work of the device.
int ltc_synchronize(int device);

// What libtorch's caching allocator counts of a device: a line for each of torch.cuda.memory_stats' names, "name value". The
// text is the calling thread's until its next call.
const char *ltc_memory_stats(int device);

// Streams. ltc_stream_new takes one of libtorch's pool; ltc_stream_current is the calling thread's.
ltc_stream ltc_stream_new(int device, int high_priority);
ltc_stream ltc_stream_current(int device);
void ltc_stream_free(ltc_stream s);
// Makes s the calling thread's current stream of its device, and that device the current one.
int ltc_stream_use(ltc_stream s);
int ltc_stream_synchronize(ltc_stream s);
// Sets *done to whether all work of the stream has finished; never waits.
int ltc_stream_done(ltc_stream s, int *done);
// Work put on s from now on waits for the event; the host does not.
int ltc_stream_wait(ltc_stream s, ltc_event e);

// Events. ltc_event_elapsed needs both made with timing and finished; it gives milliseconds.
ltc_event ltc_event_new(int timing);
void ltc_event_free(ltc_event e);
int ltc_event_record(ltc_event e, ltc_stream s);
int ltc_event_synchronize(ltc_event e);
int ltc_event_done(ltc_event e, int *done);
int ltc_event_elapsed(ltc_event start, ltc_event end, float *milliseconds);

// A copy of the CPU tensor in page-locked memory, from libtorch's caching host allocator.
ltc_tensor ltc_pin(ltc_tensor t);
int ltc_is_pinned(ltc_tensor t, int *pinned);
// A copy of t on the device, put on stream s. The host does not wait when t is pinned, and the pinned memory is not
// used again before the copy is done. Another stream that uses the result must wait for s and call ltc_record.
ltc_tensor ltc_upload(ltc_tensor t, int device, ltc_stream s);
// Keeps t's memory from being used again before the work now on s is done; for a tensor made on another stream.
int ltc_record(ltc_tensor t, ltc_stream s);

#ifdef __cplusplus
}
#endif
#endif
