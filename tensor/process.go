package tensor

// #include "lighter.h"
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"unsafe"
)

// Version is libtorch's, "2.11.0".
func Version() string { return C.GoString(C.lt_version()) }

// SetThreads sets the number of threads of operations on the CPU (torch.set_num_threads).
func SetThreads(n int) { C.lt_set_threads(C.int(n)) }

// Threads is the number of threads of operations on the CPU. It starts at OMP_NUM_THREADS, else the number of cores.
func Threads() int { return int(C.lt_threads()) }

// SingleThread makes operations that the calling OS thread starts run on it alone. Lock the goroutine to the thread before, and end
// it there.
func SingleThread() { C.lt_single_thread() }

// KeepMemory tells the C library's allocator to keep freed blocks for the next step instead of returning them to the
// kernel. Call it once, before the first large tensor.
func KeepMemory() { C.lt_keep_memory() }

// Deterministic refuses, or with warnOnly reports, operations whose result is not repeatable
// (torch.use_deterministic_algorithms).
func Deterministic(on, warnOnly bool) { C.lt_deterministic(boolC(on), boolC(warnOnly)) }

// Benchmark lets cuDNN try its algorithms on the first sight of a shape (torch.backends.cudnn.benchmark).
func Benchmark(on bool) { C.lt_benchmark(boolC(on)) }

// LibraryPath is the file that libtorch was loaded from.
func LibraryPath() string { return C.GoString(C.lt_library_path()) }

// openLibrary loads a shared library for all that follow it.
func openLibrary(path string) error {
	c := C.CString(path)
	defer C.free(unsafe.Pointer(c))
	if msg := C.lt_open_library(c); msg != nil {
		return fmt.Errorf("open %s: %s", path, C.GoString(msg))
	}
	return nil
}
