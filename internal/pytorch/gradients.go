package pytorch

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter/tensor"
)

func init() {
	const utils = "torch.nn.utils."
	def(utils+"clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None)", func(a *arguments) any {
		l := tensor.NewList(a.iterated(0))
		defer l.Free()
		most, p := a.float(1), a.float(2)
		if a.bool(3) {
			finite(a, l.GradNorm(p), p)
		}
		return l.ClipGradNorm(most, p)
	})
	def(utils+"clip_grad_value_(parameters, clip_value, foreach=None)", func(a *arguments) any {
		l := tensor.NewList(a.iterated(0))
		defer l.Free()
		l.ClipGradValue(a.float(1))
		return nil
	})
	def(utils+"get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None)", func(a *arguments) any {
		ts, p := a.iterated(0), a.float(1)
		if len(ts) == 0 {
			return tensor.FromSlice([]float32{0})
		}
		norms := make([]tensor.Tensor, len(ts))
		for i, t := range ts {
			norms[i] = one("linalg_vector_norm", t, p)
		}
		total := one("linalg_vector_norm", tensor.Stack(norms, 0), p)
		if a.bool(2) {
			finite(a, total, p)
		}
		return total
	})
	def(utils+"clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None)", func(a *arguments) any {
		scale := one("clamp", one("mul", one("reciprocal", one("add", a.tensor(2), 1e-6)), a.float(1)), kw{"max", 1.0})
		tensor.NoGrad(func() {
			for _, p := range a.iterated(0) {
				if g := p.Grad(); g.Defined() {
					run("mul_", g, scale)
				}
			}
		})
		return nil
	})
	def(utils+"parameters_to_vector(parameters)", func(a *arguments) any {
		var flat []tensor.Tensor
		for _, p := range a.iterated(0) {
			flat = append(flat, one("view", p, []int64{-1}))
		}
		return tensor.Cat(flat, 0)
	})
	def(utils+"vector_to_parameters(vec, parameters)", func(a *arguments) any {
		vec, at := a.tensor(0), int64(0)
		for _, p := range a.iterated(1) {
			n := p.Numel()
			p.SetData(one("view_as", vec.Narrow(0, at, n), p).Detach())
			at += n
		}
		return nil
	})
	def(utils+"rnn.pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side='right')", func(a *arguments) any {
		return run("pad_sequence", a.iterated(0), a.bool(1), a.v[2], a.text(3))
	})
	def(utils+"rnn.unpad_sequence(padded_sequences, lengths, batch_first=False)", func(a *arguments) any {
		t := a.tensor(0)
		if !a.bool(2) {
			t = one("transpose", t, int64(0), int64(1))
		}
		lengths := tensor.Values[int64](a.tensor(1))
		out := make([]any, len(lengths))
		for i, n := range lengths {
			out[i] = t.Select(0, int64(i)).Narrow(0, 0, n)
		}
		return out
	})
}

// iterated are tensors of any iterable, or one alone.
func (a *arguments) iterated(i int) []tensor.Tensor {
	if _, ok := elements(a.v[i]); !ok {
		return a.some(i)
	}
	return a.tensors(i)
}

func finite(a *arguments, norm tensor.Tensor, p float64) {
	if v := norm.Item(); math.IsNaN(v) || math.IsInf(v, 0) {
		a.fail("%s", fmt.Sprintf("The total norm of order %v for gradients from `parameters` is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`", p))
	}
}
