package tensor

// #include "lighter.h"
// #include "cuda/lighter_cuda.h"
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// HasNVIDIADevice says whether the machine shows an NVIDIA device, without opening any library.
func HasNVIDIADevice() bool {
	_, err := os.Stat("/dev/nvidiactl")
	return err == nil
}

// OpenCUDA loads libtorch's CUDA half, which the program is not linked to, and then this project's own CUDA library, which
// needs it. Call it before anything asks about CUDA. It takes most of a second and is done once.
var OpenCUDA = sync.OnceValue(func() error {
	lib := filepath.Join(filepath.Dir(LibraryPath()), "libtorch_cuda.so")
	if _, err := os.Stat(lib); err != nil {
		return fmt.Errorf("this libtorch has no CUDA half (%s is missing): `make setup CUDA=1` gets it", lib)
	}
	if err := openLibrary(lib); err != nil {
		return err
	}
	own, err := ownCUDALibrary()
	if err != nil {
		return err
	}
	if err := openLibrary(own); err != nil {
		return err
	}
	if got := int(C.lt_cuda_interface()); got != C.LTC_INTERFACE {
		return fmt.Errorf("%s is of another version of this program (interface %d, not %d): `make setup CUDA=1` builds it anew", own, got, C.LTC_INTERFACE)
	}
	return nil
})

const ownCUDAName = "liblighter_cuda.so"

// ownCUDALibrary finds liblighter_cuda.so beside the program, in its lib folder, or beside libtorch.
func ownCUDALibrary() (string, error) {
	folders := []string{filepath.Dir(LibraryPath())}
	if exe, err := os.Executable(); err == nil {
		dir := filepath.Dir(exe)
		folders = append([]string{dir, filepath.Join(dir, "..", "lib"), filepath.Join(dir, "lib")}, folders...)
	}
	for _, dir := range folders {
		if p := filepath.Join(dir, ownCUDAName); fileExists(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is missing: `make setup CUDA=1` builds it", ownCUDAName)
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// CUDAMemoryStats is what libtorch's caching allocator counts of a GPU, under the names of torch.cuda.memory_stats.
func CUDAMemoryStats(d Device) (stats map[string]int64, err error) {
	defer Recover(&err)
	text := C.lt_cuda_memory_stats(d.index())
	if text == nil {
		check("memory_stats", 1)
	}
	stats = map[string]int64{}
	for line := range strings.Lines(C.GoString(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if stats[name], err = strconv.ParseInt(value, 10, 64); err != nil {
			return nil, fmt.Errorf("memory_stats: %w", err)
		}
	}
	return stats, nil
}
