package tensor

// #include "lighter.h"
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"strconv"
	"strings"
)

// Device is where a tensor's data lies. The zero value is the CPU.
type Device struct {
	Type  DeviceType
	Index int
}

// DeviceType is numbered as libtorch's.
type DeviceType int

// The device types this package knows.
const (
	CPU  DeviceType = 0
	CUDA DeviceType = 1
)

func (t DeviceType) String() string {
	switch t {
	case CPU:
		return "cpu"
	case CUDA:
		return "cuda"
	}
	return fmt.Sprintf("device(%d)", int(t))
}

// TypeName is the class's name in PyTorch, for messages.
func (Device) TypeName() string { return "torch.device" }

// String is PyTorch's spelling: "cpu", "cuda:0".
func (d Device) String() string {
	if d.Type == CPU {
		return "cpu"
	}
	return fmt.Sprintf("%s:%d", d.Type, d.Index)
}

// libtch counts CUDA devices from 0 and calls the CPU -1.
func (d Device) libtch() int32 {
	if d.Type == CPU {
		return -1
	}
	return int32(d.Index)
}

func (d Device) index() C.int {
	if d.Type == CPU {
		return -1
	}
	return C.int(d.Index)
}

// ParseDevice reads "cpu", "cuda" or "cuda:1".
func ParseDevice(s string) (Device, error) {
	name, index, indexed := strings.Cut(s, ":")
	d := Device{}
	switch name {
	case "cpu":
	case "cuda":
		d.Type = CUDA
	default:
		return d, fmt.Errorf("unknown device %q: want cpu, cuda or cuda:N", s)
	}
	if indexed {
		n, err := strconv.Atoi(index)
		if err != nil || n < 0 || (d.Type == CPU && n != 0) {
			return d, fmt.Errorf("bad device index in %q: want cpu, cuda or cuda:N", s)
		}
		d.Index = n
	}
	return d, nil
}

// DeviceCount is the number of CUDA devices; 0 until [OpenCUDA] has succeeded.
func DeviceCount() int { return int(C.lt_cuda_devices()) }
