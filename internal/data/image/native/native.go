// Package native is the C side of images, and a boundary to C of its own beside package tensor's: it has nothing to do with
// tensors, and what reads images must build without libtorch. It holds libjpeg-turbo, the very library in Pillow's wheel, so
// that pixels are Pillow's to the bit, and vector code of the two passes of Pillow's resampling. libjpeg/ has the library's
// headers and their licence; this software is based in part on the work of the Independent JPEG Group.
//
// Of the decoders of JPEG that a compiler, Go and pip bring, time to decode a photo of 500x375 (4:2:0, quality 90), with
// libjpeg-turbo's as 1: see docs/images.md.
package native

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -llighter_jpeg
#include "native.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Head is what a JPEG file's head says.
type Head struct {
	Width, Height int
	Bands         int  // 1: grey, 3: RGB, 4: CMYK, as Adobe's programs write it
	Croppable     bool // decoding a part fails where decoding the whole does: not at all
}

// verdict is the error of a call.
func verdict(code C.int, info *C.lj_info) error {
	switch code {
	case C.LJ_OK:
		return nil
	case C.LJ_TRUNCATED:
		return fmt.Errorf("image file is truncated (%d bytes not processed)", uint64(info.left))
	}
	return errors.New(C.GoString(&info.message[0]))
}

func pointer(data []byte) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(data))), C.size_t(len(data))
}

// ReadHead reads a JPEG file's head.
func ReadHead(data []byte) (Head, error) {
	var info C.lj_info
	p, n := pointer(data)
	if err := verdict(C.lj_head(p, n, &info), &info); err != nil {
		return Head{}, err
	}
	return Head{int(info.width), int(info.height), int(info.bands), info.cropped != 0}, nil
}

// Decode decodes the part of a JPEG file that begins at (left, top), h rows of w pixels, to out: w·h·Bands bytes.
func Decode(data []byte, top, left, h, w int, out []byte) error {
	var info C.lj_info
	p, n := pointer(data)
	q, _ := pointer(out)
	return verdict(C.lj_decode(p, n, C.int(top), C.int(left), C.int(h), C.int(w), q, &info), &info)
}

// Spans are the weights of a resampling: output sample i is the sum of Count[i] inputs from From[i] on, times the weights
// Weights[i·Most...] of Bits bits after the point.
type Spans struct {
	Most, Bits           int
	From, Count, Weights []int32
}

// call gives f the spans as C has them.
func (s *Spans) call(f func(*C.lr_spans)) {
	var pin runtime.Pinner
	defer pin.Unpin()
	c := C.lr_spans{out: C.int(len(s.From)), most: C.int(s.Most), bits: C.int(s.Bits)}
	for _, a := range []struct {
		to   **C.int32_t
		data []int32
	}{{&c.from, s.From}, {&c.count, s.Count}, {&c.weights, s.Weights}} {
		p := unsafe.SliceData(a.data)
		pin.Pin(p)
		*a.to = (*C.int32_t)(unsafe.Pointer(p))
	}
	f(&c)
}

// Columns resamples every row of an image of width pixels of bands bytes: in has rows of them, out rows of len(From).
func (s *Spans) Columns(in []byte, width, rows, bands int, out []byte) {
	p, _ := pointer(in)
	q, _ := pointer(out)
	s.call(func(c *C.lr_spans) { C.lr_columns(p, C.int(width), C.int(rows), C.int(bands), c, q) })
}

// Rows resamples every column of an image with rows of n bytes: out has len(From) of them.
func (s *Spans) Rows(in []byte, n int, out []byte) {
	p, _ := pointer(in)
	q, _ := pointer(out)
	s.call(func(c *C.lr_spans) { C.lr_rows(p, C.int(n), c, q) })
}

// Vectors says whether the processor has the vector code's instructions, AVX2.
func Vectors() bool { return C.lr_vectors() != 0 }
