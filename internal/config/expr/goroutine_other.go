//go:build !linux

package expr

import "sync/atomic"

var calls atomic.Int64

// threadID is a number of its own: elsewhere than on Linux every call has limits of its own.
func threadID() int { return int(calls.Add(1)) }
