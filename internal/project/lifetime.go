package project

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Born makes a tensor live as long as the scope that is innermost when code gets hold of it.
func (h *host) Born(v any) uint64 {
	switch v.(type) {
	case tensor.Tensor, *batchValue:
		return tensor.ScopeID()
	}
	return 0
}

// Lives says whether a scope is still open.
func (h *host) Lives(born uint64) bool { return tensor.ScopeOpen(born) }

// Keep makes a handle of a tensor that no scope owns.
func (h *host) Keep(v any) (kept any, bytes int64, free func()) {
	if b, ok := v.(*batchValue); ok {
		v = b.Tensor()
	}
	t := v.(tensor.Tensor).Keep()
	return t, t.Numel() * int64(t.DType().Size()), t.Free
}

// Borrow gives the innermost scope a handle of its own.
func (h *host) Borrow(kept any) any { return kept.(tensor.Tensor).Keep().Adopt() }

// Describe gives a tensor's shape and dtype.
func (h *host) Describe(v any) string {
	switch v := v.(type) {
	case tensor.Tensor:
		if !v.Defined() {
			return ""
		}
		return fmt.Sprintf("%v %s", lighter.SizeText(v), v.DType())
	case parameter:
		return h.Describe(v.t)
	}
	return ""
}
