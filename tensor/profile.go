package tensor

// #include "lighter.h"
// #include <stdlib.h>
import "C"

import (
	"encoding/binary"
	"os"
	"unsafe"
)

// Profile are the options of libtorch's profiler.
type Profile struct {
	CUDA   bool // kernels, copies and the runtime's calls too
	Shapes bool // of the operators' inputs
	Memory bool // allocations
	FLOPs  bool // of matrix products and convolutions; needs Shapes
}

func (p Profile) options() (o C.int) {
	for _, option := range []struct {
		on   bool
		flag C.int
	}{{p.CUDA, C.LT_PROFILE_CUDA}, {p.Shapes, C.LT_PROFILE_SHAPES}, {p.Memory, C.LT_PROFILE_MEMORY}, {p.FLOPs, C.LT_PROFILE_FLOPS}} {
		if option.on {
			o |= option.flag
		}
	}
	return o
}

// ProfileEvent is an operator, a kernel, an annotation or an allocation that was recorded.
type ProfileEvent struct {
	Name            string
	Shapes          string // "[32, 64], [128, 64]", "" when they were not recorded
	Start, Duration int64  // nanoseconds
	Thread          uint64
	ID, Linked      uint64 // Linked is the ID of the operator that launched a kernel
	Bytes           int64  // allocated, or freed when negative
	FLOPs           uint64
	Device          DeviceType
	Async           bool
}

// Prepare readies the profiler, a step or more before Start, so that what starting costs is not recorded.
func (p Profile) Prepare() {
	if os.Getenv("KINETO_LOG_LEVEL") == "" {
		_ = os.Setenv("KINETO_LOG_LEVEL", "5") // else it prints that there is no GPU
	}
	check("profiler", C.lt_profile_prepare(p.options()))
}

// Start begins to record what the calling thread does, until [StopProfile].
func (p Profile) Start() { check("profiler", C.lt_profile_start(p.options())) }

// StopProfile ends recording and writes a Chrome trace to path, unless that is "".
func StopProfile(path string) []ProfileEvent {
	var file *C.char
	if path != "" {
		file = C.CString(path)
		defer C.free(unsafe.Pointer(file))
	}
	var out *C.char
	var n C.size_t
	check("profiler", C.lt_profile_stop(file, &out, &n))
	return readEvents(unsafe.Slice((*byte)(unsafe.Pointer(out)), int(n)))
}

// readEvents reads, for each event, two texts with their lengths and the numbers in the order of lt_profile_stop.
func readEvents(b []byte) (events []ProfileEvent) {
	u32 := func() uint32 {
		v := binary.LittleEndian.Uint32(b)
		b = b[4:]
		return v
	}
	u64 := func() uint64 {
		v := binary.LittleEndian.Uint64(b)
		b = b[8:]
		return v
	}
	text := func() string {
		n := u32()
		s := string(b[:n])
		b = b[n:]
		return s
	}
	for len(b) > 0 {
		events = append(events, ProfileEvent{
			Name: text(), Shapes: text(), Start: int64(u64()), Duration: int64(u64()), Thread: u64(), ID: u64(), Linked: u64(),
			Bytes: int64(u64()), FLOPs: u64(), Device: DeviceType(int32(u32())), Async: u32() != 0,
		})
	}
	return events
}

// RecordBegin puts what the calling thread does until [RecordEnd] under a name of its own (torch.profiler.record_function). Records
// nest.
func RecordBegin(name string) {
	check("record_function", C.lt_record_begin((*C.char)(unsafe.Pointer(unsafe.StringData(name))), C.size_t(len(name))))
}

// RecordEnd ends the record begun last.
func RecordEnd() { C.lt_record_end() }
