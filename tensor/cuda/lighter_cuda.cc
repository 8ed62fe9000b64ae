// liblighter_cuda.so: streams, events and pinned copies for lighter (see lighter_cuda.h). Built by build/cuda.sh
// against libtorch's and CUDA's headers; it links to nothing, the libraries opened before it supply the symbols.
#include "lighter_cuda.h"

#include <ATen/ATen.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <torch/version.h>

#include <exception>
#include <string>

namespace {

thread_local std::string last_error;

// attempt runs f and turns an exception into the last error. A c10::Error's message ends with a backtrace, which
// is left out.
template <class F> int attempt(F f) {
  try {
    f();
    return 0;
  } catch (const c10::Error &e) {
    last_error = e.what_without_backtrace();
  } catch (const std::exception &e) {
    last_error = e.what();
  } catch (...) {
    last_error = "unknown error in libtorch";
  }
  return 1;
}

// make is attempt for a function that returns a new object.
template <class F> auto make(F f) -> decltype(f()) {
  decltype(f()) made = nullptr;
  attempt([&] { made = f(); });
  return made;
}

at::Tensor &tensor(ltc_tensor t) { return *static_cast<at::Tensor *>(t); }
c10::cuda::CUDAStream &stream(ltc_stream s) { return *static_cast<c10::cuda::CUDAStream *>(s); }
at::cuda::CUDAEvent &event(ltc_event e) { return *static_cast<at::cuda::CUDAEvent *>(e); }

} // namespace

extern "C" {

int ltc_interface(void) { return LTC_INTERFACE; }

const char *ltc_error(void) { return last_error.c_str(); }

int ltc_versions(int *driver, int *runtime) {
  return attempt([&] {
    C10_CUDA_CHECK(cudaDriverGetVersion(driver));
    C10_CUDA_CHECK(cudaRuntimeGetVersion(runtime));
  });
}

int ltc_synchronize(int device) {
  return attempt([&] {
    c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
    c10::cuda::device_synchronize();
  });
}

const char *ltc_memory_stats(int device) {
  static thread_local std::string text;
  text.clear();
  auto line = [](const std::string &name, int64_t value) { text += name + ' ' + std::to_string(value) + '\n'; };
  auto stat = [&](const std::string &name, const auto &s) {
    line(name + ".current", s.current);
    line(name + ".peak", s.peak);
    line(name + ".allocated", s.allocated);
    line(name + ".freed", s.freed);
  };
  auto pools = [&](const std::string &name, const auto &stats) { // in the order of c10's StatType
    stat(name + ".all", stats[0]);
    stat(name + ".small_pool", stats[1]);
    stat(name + ".large_pool", stats[2]);
  };
  int failed = attempt([&] {
    const auto s = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
    pools("allocation", s.allocation);
    pools("segment", s.segment);
    pools("active", s.active);
    pools("inactive_split", s.inactive_split);
    pools("allocated_bytes", s.allocated_bytes);
    pools("reserved_bytes", s.reserved_bytes);
    pools("active_bytes", s.active_bytes);
    pools("inactive_split_bytes", s.inactive_split_bytes);
    pools("requested_bytes", s.requested_bytes);
    stat("oversize_allocations", s.oversize_allocations);
    stat("oversize_segments", s.oversize_segments);
    line("num_alloc_retries", s.num_alloc_retries);
    line("num_ooms", s.num_ooms);
    line("max_split_size", s.max_split_size);
#if TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR > 201
    line("num_sync_all_streams", s.num_sync_all_streams);
    line("num_device_alloc", s.num_device_alloc);
    line("num_device_free", s.num_device_free);
#endif
  });
  return failed ? nullptr : text.c_str();
}

ltc_stream ltc_stream_new(int device, int high_priority) {
  return make([&] {
    return new c10::cuda::CUDAStream(
        c10::cuda::getStreamFromPool(high_priority != 0, static_cast<c10::DeviceIndex>(device)));
  });
}

ltc_stream ltc_stream_current(int device) {
  return make([&] {
    return new c10::cuda::CUDAStream(c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device)));
  });
}

void ltc_stream_free(ltc_stream s) { delete static_cast<c10::cuda::CUDAStream *>(s); }

int ltc_stream_use(ltc_stream s) {
  return attempt([&] {
    c10::cuda::set_device(stream(s).device_index());
    c10::cuda::setCurrentCUDAStream(stream(s));
  });
}

int ltc_stream_synchronize(ltc_stream s) {
  return attempt([&] { stream(s).synchronize(); });
}

int ltc_stream_done(ltc_stream s, int *done) {
  return attempt([&] { *done = stream(s).query(); });
}

int ltc_stream_wait(ltc_stream s, ltc_event e) {
  return attempt([&] { event(e).block(stream(s)); });
}

ltc_event ltc_event_new(int timing) {
  return make([&] { return new at::cuda::CUDAEvent(timing ? cudaEventDefault : cudaEventDisableTiming); });
}

void ltc_event_free(ltc_event e) { delete static_cast<at::cuda::CUDAEvent *>(e); }

int ltc_event_record(ltc_event e, ltc_stream s) {
  return attempt([&] { event(e).record(stream(s)); });
}

int ltc_event_synchronize(ltc_event e) {
  return attempt([&] { event(e).synchronize(); });
}

int ltc_event_done(ltc_event e, int *done) {
  return attempt([&] { *done = event(e).query(); });
}

int ltc_event_elapsed(ltc_event start, ltc_event end, float *milliseconds) {
  return attempt([&] { *milliseconds = event(start).elapsed_time(event(end)); });
}

ltc_tensor ltc_pin(ltc_tensor t) {
  return make([&] { return new at::Tensor(tensor(t).pin_memory()); });
}

int ltc_is_pinned(ltc_tensor t, int *pinned) {
  return attempt([&] { *pinned = tensor(t).is_pinned(); });
}

ltc_tensor ltc_upload(ltc_tensor t, int device, ltc_stream s) {
  return make([&] {
    c10::cuda::CUDAStreamGuard guard(stream(s));
    const at::Device to(at::kCUDA, static_cast<c10::DeviceIndex>(device));
    return new at::Tensor(tensor(t).to(to, tensor(t).scalar_type(), /*non_blocking=*/true, /*copy=*/true));
  });
}

int ltc_record(ltc_tensor t, ltc_stream s) {
  return attempt([&] { tensor(t).record_stream(stream(s).unwrap()); });
}

} // extern "C"
