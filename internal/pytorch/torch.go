package pytorch

import (
	"math"

	"github.com/lighter-go/lighter/tensor"
)

func init() {
	constants["torch.pi"], constants["torch.e"] = math.Pi, math.E
	constants["torch.inf"], constants["torch.nan"] = math.Inf(1), math.NaN()
	constants["torch.newaxis"] = nil
	for i, name := range layouts {
		constants["torch."+name] = Layout(i)
	}
	for i, name := range formats {
		constants["torch."+name] = Format(i)
	}
	for _, d := range []struct {
		name  string
		dtype tensor.DType
	}{
		{"uint8", tensor.Uint8}, {"int8", tensor.Int8}, {"int16", tensor.Int16}, {"int32", tensor.Int32}, {"int64", tensor.Int64}, {"float16", tensor.Float16},
		{"float32", tensor.Float32}, {"float64", tensor.Float64}, {"complex64", tensor.Complex64}, {"complex128", tensor.Complex128}, {"bool", tensor.Bool},
		{"bfloat16", tensor.BFloat16}, {"half", tensor.Float16}, {"float", tensor.Float32}, {"double", tensor.Float64}, {"short", tensor.Int16},
		{"int", tensor.Int32}, {"long", tensor.Int64}, {"cfloat", tensor.Complex64}, {"cdouble", tensor.Complex128},
	} {
		constants["torch."+d.name] = d.dtype
	}

	def("torch.is_tensor(obj)", func(a *arguments) any { _, ok := tensorOf(a.v[0]).(tensor.Tensor); return ok })
	def("torch.numel(input)", func(a *arguments) any { return a.tensor(0).Numel() })
	def("torch.is_nonzero(input)", func(a *arguments) any {
		v, err := Truth(a.tensor(0))
		if err != nil {
			raise("is_nonzero", err)
		}
		return v
	})
	def("torch.typename(obj)", func(a *arguments) any {
		if t, ok := a.v[0].(tensor.Tensor); ok {
			return legacyType(t)
		}
		return typeName(a.v[0])
	})
	def("torch.get_default_dtype()", func(*arguments) any { return tensor.Float32 })
	def("torch.get_default_device()", func(*arguments) any { return tensor.Device{} })
	def("torch.finfo(type=None)", func(a *arguments) any {
		d := tensor.Float32
		if !a.none(0) {
			d = a.dtype(0)
		}
		i, err := finfo(d)
		if err != nil {
			raise("finfo", err)
		}
		return i
	})
	def("torch.iinfo(type)", func(a *arguments) any {
		i, err := iinfo(a.dtype(0))
		if err != nil {
			raise("iinfo", err)
		}
		return i
	})
	def("torch.manual_seed(seed)", func(a *arguments) any {
		tensor.ManualSeed(uint64(a.int(0)))
		return nil
	})
	def("torch.get_rng_state()", func(*arguments) any { return tensor.RNGState(tensor.Device{}) })
	def("torch.set_rng_state(new_state)", func(a *arguments) any {
		tensor.SetRNGState(tensor.Device{}, a.tensor(0))
		return nil
	})
	def("torch.get_num_threads()", func(*arguments) any { return int64(tensor.Threads()) })

	def("torch.einsum(equation, *operands)", func(a *arguments) any {
		operands, _ := elements(a.v[1])
		if len(operands) == 1 {
			if inner, ok := elements(operands[0]); ok {
				operands = inner
			}
		}
		return run("einsum", a.text(0), operands)
	})
	def("torch.split(tensor, split_size_or_sections, dim=0)", split)
	def("torch.meshgrid(*tensors, indexing=None)", func(a *arguments) any {
		indexing := "ij"
		if !a.none(1) {
			indexing = a.text(1)
		}
		return run("meshgrid", spread(a, 0), kw{"indexing", indexing})
	})
	for _, name := range []string{"block_diag", "cartesian_prod", "broadcast_tensors"} {
		def("torch."+name+"(*tensors)", func(a *arguments) any { return run(name, spread(a, 0)) })
	}
	for _, name := range []string{"atleast_1d", "atleast_2d", "atleast_3d"} {
		def("torch."+name+"(*tensors)", func(a *arguments) any {
			items, _ := elements(a.v[0])
			if len(items) == 1 {
				if t, ok := items[0].(tensor.Tensor); ok {
					return one(name, t)
				}
			}
			return run(name, spread(a, 0))
		})
	}
	def("torch.broadcast_shapes(*shapes)", func(a *arguments) any {
		shapes, _ := elements(a.v[0])
		var out []int64
		for _, s := range shapes {
			items, ok := elements(s)
			if !ok {
				items = []any{s}
			}
			shape := sizeOf(items)
			for len(out) < len(shape) {
				out = append([]int64{1}, out...)
			}
			for i := range shape {
				n, at := shape[len(shape)-1-i], len(out)-1-i
				switch {
				case n == out[at] || n == 1:
				case out[at] == 1:
					out[at] = n
				default:
					a.fail("Shape mismatch: objects cannot be broadcast to a single shape: %s", Repr(Tuple(shapes)))
				}
			}
		}
		return Size(out)
	})
	def("torch.tensordot(a, b, dims=2, out=None)", func(a *arguments) any {
		x, y := a.tensor(0), a.tensor(1)
		var left, right []int64
		if items, ok := elements(a.v[2]); ok {
			if len(items) != 2 {
				a.fail("tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, but got dims=%s", Repr(a.v[2]))
			}
			l, lok := elements(items[0])
			r, rok := elements(items[1])
			if !lok || !rok {
				l, r = items[:1], items[1:]
			}
			left, right = sizeOf(l), sizeOf(r)
		} else {
			n := a.int(2)
			if n < 0 {
				a.fail("tensordot expects dims >= 0, but got dims=%d", n)
			}
			if n > int64(min(x.Dim(), y.Dim())) {
				a.fail("tensordot expects dims < ndim_a or ndim_b, but got dims=%d", n)
			}
			for i := range n {
				left, right = append(left, int64(x.Dim())-n+i), append(right, i)
			}
		}
		return one("tensordot", x, y, left, right)
	})
	def("torch.cdist(x1, x2, p=2.0, compute_mode='use_mm_for_euclid_dist_if_necessary')", func(a *arguments) any {
		mode, ok := map[string]any{"use_mm_for_euclid_dist_if_necessary": nil, "use_mm_for_euclid_dist": int64(1), "donot_use_mm_for_euclid_dist": int64(2)}[a.text(3)]
		if !ok {
			a.fail("%s is not a valid value for compute_mode", a.text(3))
		}
		return one("cdist", a.tensor(0), a.tensor(1), a.float(2), mode)
	})
	for _, m := range []bool{false, true} {
		unique := func(a *arguments) any { return uniqueOf(a) }
		consecutive := func(a *arguments) any { return uniqueConsecutive(a) }
		if m {
			method("unique(self, sorted=True, return_inverse=False, return_counts=False, dim=None)", unique)
			method("unique_consecutive(self, return_inverse=False, return_counts=False, dim=None)", consecutive)
			method("norm(self, p='fro', dim=None, keepdim=False, dtype=None)", norm)
			method("nonzero(self, *, as_tuple=False)", nonzero)
			method("istft(self, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=None, length=None, return_complex=False)", istft)
			method("stft(self, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode='reflect', normalized=False, onesided=None, return_complex=None)", stft)
			continue
		}
		def("torch.unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None)", unique)
		def("torch.unique_consecutive(input, return_inverse=False, return_counts=False, dim=None)", consecutive)
		def("torch.norm(input, p='fro', dim=None, keepdim=False, out=None, dtype=None)", func(a *arguments) any {
			if a.f.params[4].name == "out" {
				if !a.none(4) {
					a.fail("out is not supported: use torch.linalg.norm")
				}
				a.v[4] = a.v[5]
			}
			return norm(a)
		})
		def("torch.nonzero(input, *, out=None, as_tuple=False)", func(a *arguments) any {
			a.v[1] = a.v[2]
			return nonzero(a)
		})
		def("torch.istft(input, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=None, length=None, return_complex=False)", istft)
		def("torch.stft(input, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode='reflect', normalized=False, onesided=None, return_complex=None)", stft)
	}
	def("torch.chain_matmul(*matrices, out=None)", func(a *arguments) any { return run("linalg_multi_dot", spread(a, 0), kw{"out", a.v[1]}) })
	def("torch.lu(A, pivot=True, get_infos=False, out=None)", lu)
	def("torch.unravel_index(indices, shape)", func(a *arguments) any {
		rest, shape := a.tensor(0), a.ints(1)
		out := make(Tuple, len(shape))
		for i := len(shape) - 1; i >= 0; i-- {
			out[i] = one("remainder", rest, shape[i])
			rest = one("floor_divide", rest, shape[i])
		}
		return out
	})
	def("torch.get_device(input)", func(a *arguments) any {
		if d := a.tensor(0).Device(); d.Type == tensor.CUDA {
			return int64(d.Index)
		}
		return int64(-1)
	})
	def("torch.is_inference_mode_enabled()", func(*arguments) any { return tensor.Empty([]int64{0}, tensor.Float32, tensor.Device{}).IsInference() })
	def("torch.amp.is_autocast_available(device_type)", func(a *arguments) any {
		_, err := deviceOf(a.v[0])
		return err == nil
	})
	def("torch.cuda.is_available()", func(*arguments) any { return tensor.DeviceCount() > 0 })
	def("torch.cuda.device_count()", func(*arguments) any { return int64(tensor.DeviceCount()) })
	def("torch.cuda.manual_seed_all(seed)", func(a *arguments) any { tensor.ManualSeed(uint64(a.int(0))); return nil })
	def("torch.cuda.manual_seed(seed)", func(a *arguments) any { tensor.ManualSeed(uint64(a.int(0))); return nil })
	def("torch.cuda.synchronize(device=None)", func(*arguments) any { return nil })
	def("torch.cuda.empty_cache()", func(*arguments) any { return nil })
	def("torch.cuda.current_device()", func(*arguments) any { return int64(0) })
	def("torch.backends.mps.is_available()", func(*arguments) any { return false })
}

// lu is torch.lu: the factors in one matrix, and the pivots.
func lu(a *arguments) any {
	r, _ := elements(run("linalg_lu_factor_ex", a.tensor(0), kw{"pivot", a.bool(1)}))
	if !a.bool(2) {
		r = r[:2]
	}
	return Tuple(r)
}

// spread are the tensors given one by one or as one list.
func spread(a *arguments, i int) []any {
	items, _ := elements(a.v[i])
	if len(items) == 1 {
		if inner, ok := elements(items[0]); ok {
			return inner
		}
	}
	return items
}

// uniqueOf is torch.unique, whose results depend on what is asked for.
func uniqueOf(a *arguments) any {
	var r []any
	if a.none(4) {
		r, _ = elements(run("_unique2", a.tensor(0), a.bool(1), a.bool(2), a.bool(3)))
	} else {
		r, _ = elements(run("unique_dim", a.tensor(0), a.int(4), a.bool(1), a.bool(2), a.bool(3)))
	}
	return asked(r, a.bool(2), a.bool(3))
}

func uniqueConsecutive(a *arguments) any {
	r, _ := elements(run("unique_consecutive", a.tensor(0), a.bool(1), a.bool(2), a.v[3]))
	return asked(r, a.bool(1), a.bool(2))
}

func asked(r []any, inverse, counts bool) any {
	out := Tuple{r[0]}
	if inverse {
		out = append(out, r[1])
	}
	if counts {
		out = append(out, r[2])
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

func nonzero(a *arguments) any {
	if a.bool(1) {
		return run("nonzero_numpy", a.tensor(0))
	}
	return one("nonzero", a.tensor(0))
}

// norm is torch.norm of functional.py.
func norm(a *arguments) any {
	t, dim, keep := a.tensor(0), a.v[2], a.bool(3)
	dtype := kw{"dtype", a.v[4]}
	if s, ok := a.v[1].(string); ok {
		switch s {
		case "fro":
			var dims any
			if dim != nil {
				dims = a.ints(2)
			}
			return one("linalg_vector_norm", t, int64(2), dims, keep, dtype)
		case "nuc":
			dims := []int64{-2, -1}
			if dim != nil {
				dims = a.ints(2)
			}
			return one("linalg_matrix_norm", t, "nuc", dims, keep, dtype)
		}
		a.fail("unknown p %q: want a number, 'fro' or 'nuc'", s)
	}
	p := a.v[1]
	if p == nil {
		p = 2.0
	}
	var dims any
	if dim != nil {
		dims = a.ints(2)
	}
	return one("linalg_vector_norm", t, p, dims, keep, dtype)
}

func stft(a *arguments) any {
	t := a.tensor(0)
	if a.bool(5) {
		n := int64(t.Dim())
		pad := a.int(1) / 2
		shape := t.Shape()
		extended := append([]int64{}, shape...)
		for i := n; i < 3; i++ {
			extended = append([]int64{1}, extended...)
		}
		t = padded(t.Reshape(extended...), []int64{pad, pad}, a.text(6), nil)
		t = t.Reshape(t.Shape()[3-n:]...)
	}
	return one("stft", t, a.int(1), a.v[2], a.v[3], a.v[4], a.bool(7), a.v[8], a.v[9])
}

func istft(a *arguments) any {
	return one("istft", a.tensor(0), a.int(1), a.v[2], a.v[3], a.v[4], a.bool(5), a.bool(6), a.v[7], a.v[8], a.bool(9))
}

// padded is pad with a mode of torch.nn.functional.pad.
func padded(t tensor.Tensor, pad []int64, mode string, value any) tensor.Tensor {
	return one("pad", t, pad, mode, value)
}
