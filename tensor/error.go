package tensor

// #include "lighter.h"
// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// ErrorKind says what sort of failure an operation met.
type ErrorKind int

// The kinds of [Error], in the order of lighter.h's.
const (
	RuntimeError ErrorKind = iota
	OutOfMemory
	ValueError
	IndexError
	NotImplemented
	NoScope
	UnknownOperator
	BadArguments
)

// Error is what an operation panics with.
type Error struct {
	Op   string // the operation, "linear"
	Kind ErrorKind
	Msg  string // libtorch's message, its first line
	Full string // the whole message; with [Debug], C++ frames included

	cause error
}

// Unwrap returns the error that [Throw] was given.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Msg
	}
	return e.Op + ": " + e.Msg
}

// Fail panics with an [*Error] of the caller's making: how layers written in Go report a misuse during a step.
func Fail(op, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	panic(&Error{Op: op, Kind: ValueError, Msg: msg, Full: msg})
}

// Throw panics with an [*Error] that stands for err: how an error leaves code that has no way to return it. One that is an
// [*Error] already stays that.
func Throw(op string, err error) {
	var e *Error
	if errors.As(err, &e) && e == err { //nolint:errorlint // not one within another
		panic(e)
	}
	kind := RuntimeError
	if e != nil {
		kind = e.Kind
	}
	panic(&Error{Op: op, Kind: kind, Msg: err.Error(), Full: err.Error(), cause: err})
}

// Catch runs f and returns the operation error that stopped it, or nil.
func Catch(f func()) (err error) {
	defer Recover(&err)
	f()
	return nil
}

// Recover, deferred, turns an operation's panic into *err. Other panics go on.
func Recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		panic(r)
	}
}

var debugging bool

func init() { Debug(false) }

// Debug keeps libtorch's C++ frames in the Full text of errors. Computing them takes some 20 ms an error, so they are off at
// first.
func Debug(on bool) {
	debugging = on
	C.lt_backtraces(boolC(on))
}

func newError(op string, kind ErrorKind, full string) *Error {
	if !debugging {
		for _, frames := range []string{"\nException raised from", "\nframe #"} {
			full, _, _ = strings.Cut(full, frames)
		}
	}
	msg, _, _ := strings.Cut(strings.TrimSpace(full), "\n")
	msg, _, _ = strings.Cut(msg, ". This could be because the operator doesn't exist for this backend") // and a list of all backends
	return &Error{Op: op, Kind: kind, Msg: msg, Full: full}
}

// check panics when a call of lighter.h failed.
func check(op string, status C.int) {
	if status == 0 {
		return
	}
	var kind C.int
	msg := C.GoString(C.lt_error(&kind))
	if cause := pending.take(); cause != nil {
		panic(cause)
	}
	panic(newError(op, ErrorKind(kind), msg))
}

// checkTorch panics when the last call of libtch failed.
func checkTorch(op string) {
	if p := unsafe.Pointer(libtch.GetAndResetLastErr()); p != nil {
		msg := C.GoString((*C.char)(p))
		kind := ErrorKind(C.lt_classify((*C.char)(p)))
		C.free(p)
		panic(newError(op, kind, msg))
	}
}

func boolC(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
