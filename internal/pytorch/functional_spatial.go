package pytorch

import (
	"fmt"

	"github.com/lighter-go/lighter/tensor"
)

func init() {
	pools()
	def(functional+"interpolate(input, size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None, antialias=False)", func(a *arguments) any {
		return interpolate(a, a.tensor(0), a.v[1], a.v[2], a.text(3), a.v[4], a.bool(5), a.bool(6))
	})
	def(functional+"upsample(input, size=None, scale_factor=None, mode='nearest', align_corners=None)", func(a *arguments) any {
		return interpolate(a, a.tensor(0), a.v[1], a.v[2], a.text(3), a.v[4], false, false)
	})
	def(functional+"upsample_nearest(input, size=None, scale_factor=None)", func(a *arguments) any {
		return interpolate(a, a.tensor(0), a.v[1], a.v[2], "nearest", nil, false, false)
	})
	def(functional+"upsample_bilinear(input, size=None, scale_factor=None)", func(a *arguments) any {
		return interpolate(a, a.tensor(0), a.v[1], a.v[2], "bilinear", true, false, false)
	})
	def(functional+"grid_sample(input, grid, mode='bilinear', padding_mode='zeros', align_corners=None)", func(a *arguments) any {
		mode, ok := map[string]int64{"bilinear": 0, "nearest": 1, "bicubic": 2}[a.text(2)]
		if !ok {
			a.fail("nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '%s'", a.text(2))
		}
		padding, ok := map[string]int64{"zeros": 0, "border": 1, "reflection": 2}[a.text(3)]
		if !ok {
			a.fail("nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '%s'", a.text(3))
		}
		return run("grid_sampler", a.tensor(0), a.tensor(1), mode, padding, a.bool(4))
	})
	def(functional+"affine_grid(theta, size, align_corners=None)", func(a *arguments) any {
		theta, size := a.tensor(0), a.ints(1)
		if !theta.IsFloat() {
			a.fail("Expected theta to have floating point type, but got torch.%s", theta.DType())
		}
		shape := theta.Shape()
		if n := len(size); n != 4 && n != 5 {
			a.fail("affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size %s.", Repr(Size(size)))
		}
		rows := int64(len(size) - 2)
		if len(shape) != 3 || shape[1] != rows || shape[2] != rows+1 {
			a.fail("Expected a batch of %dD affine matrices of shape Nx%dx%d for size %s. Got %s.", rows, rows, rows+1, Repr(Size(size)), Repr(Size(shape)))
		}
		for _, n := range size {
			if n <= 0 {
				a.fail("Expected non-zero, positive output size. Got %s", Repr(Size(size)))
			}
		}
		return run("affine_grid_generator", theta, size, a.bool(2))
	})
}

func pools() {
	for n := range int64(3) {
		d := fmt.Sprintf("%dd", n+1)
		dims := int(n + 1)
		pool := "input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False"
		max := func(indices func(a *arguments) bool) func(a *arguments) any {
			return func(a *arguments) any {
				stride := []int64{}
				if !a.none(2) {
					stride = a.repeated(2, dims)
				}
				args := []any{a.tensor(0), a.repeated(1, dims), stride, a.repeated(3, dims), a.repeated(4, dims), a.bool(5)}
				if !indices(a) {
					return run("max_pool"+d, args...)
				}
				out, _ := elements(run("max_pool"+d+"_with_indices", args...))
				return Tuple(out)
			}
		}
		def(functional+"max_pool"+d+"("+pool+")", max(func(a *arguments) bool { return a.bool(6) }))
		def(functional+"max_pool"+d+"_with_indices("+pool+")", max(func(*arguments) bool { return true }))
		def(functional+"lp_pool"+d+"(input, norm_type, kernel_size, stride=None, ceil_mode=False)", func(a *arguments) any {
			kernel, area := a.repeated(2, dims), int64(1)
			for _, k := range kernel {
				area *= k
			}
			stride := kernel
			if !a.none(3) {
				stride = a.repeated(3, dims)
			}
			out := one("avg_pool"+d, one("pow", a.tensor(0), a.v[1]), kernel, stride, int64(0), a.bool(4))
			return one("pow", one("mul", one("mul", one("sign", out), one("relu", one("abs", out))), area), 1/a.float(1))
		})
		adaptive := func(indices func(a *arguments) bool) func(a *arguments) any {
			return func(a *arguments) any {
				both, _ := elements(run("adaptive_max_pool"+d, a.tensor(0), a.spatial(1, dims)))
				if indices(a) {
					return Tuple(both)
				}
				return both[0]
			}
		}
		def(functional+"adaptive_max_pool"+d+"(input, output_size, return_indices=False)", adaptive(func(a *arguments) bool { return a.bool(2) }))
		def(functional+"adaptive_max_pool"+d+"_with_indices(input, output_size, return_indices=False)", adaptive(func(*arguments) bool { return true }))
		if n > 0 {
			def(functional+"adaptive_avg_pool"+d+"(input, output_size)", func(a *arguments) any {
				return run("adaptive_avg_pool"+d, a.tensor(0), a.spatial(1, dims))
			})
			fractional := func(indices func(a *arguments) bool) func(a *arguments) any {
				return func(a *arguments) any {
					both := fractionalPool(a, dims)
					if indices(a) {
						return both
					}
					return both[0]
				}
			}
			declared := "(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None)"
			def(functional+"fractional_max_pool"+d+declared, fractional(func(a *arguments) bool { return a.bool(4) }))
			def(functional+"fractional_max_pool"+d+"_with_indices"+declared, fractional(func(*arguments) bool { return true }))
		}
		def(functional+"max_unpool"+d+"(input, indices, kernel_size, stride=None, padding=0, output_size=None)", func(a *arguments) any {
			return unpool(a, dims)
		})
	}
}

// spatial are sizes of which None keeps that of the input, the first argument.
func (a *arguments) spatial(i, dims int) []int64 {
	items, ok := elements(a.v[i])
	if !ok {
		return a.repeated(i, dims)
	}
	shape := a.tensor(0).Shape()
	if len(shape) <= len(items) {
		a.fail("Input dimension should be at least %d", len(items)+1)
	}
	filled := make(Tuple, len(items))
	for j, it := range items {
		if filled[j] = it; it == nil {
			filled[j] = shape[len(shape)-len(items)+j]
		}
	}
	a.v[i] = filled
	return a.repeated(i, dims)
}

func fractionalPool(a *arguments, dims int) Tuple {
	t := a.tensor(0)
	shape := t.Shape()
	if len(shape) < dims+1 {
		a.fail("Expected %dD or %dD tensor, got %s", dims+1, dims+2, describe(t))
	}
	var size []int64
	switch {
	case !a.none(2):
		size = a.repeated(2, dims)
	case a.none(3):
		a.fail("%s requires specifying either an output_size or an output_ratio", a.f.name)
	default:
		ratios, ok := elements(a.v[3])
		for j := range dims {
			r := a.v[3]
			if ok {
				if len(ratios) != dims {
					a.fail("%s requires output_ratio to either be a single Int or tuple of Ints.", a.f.name)
				}
				r = ratios[j]
			}
			f, isNumber := toFloat(r)
			if !isNumber {
				a.wrong(3, "float or tuple of floats")
			}
			size = append(size, int64(float64(shape[len(shape)-dims+j])*f))
		}
	}
	samples := a.v[5]
	if samples == nil {
		batch := int64(1)
		if len(shape) > dims+1 {
			batch = shape[0]
		}
		samples = one("rand", []int64{batch, shape[len(shape)-dims-1], int64(dims)}, kw{"dtype", t.DType()}, kw{"device", t.Device()})
	}
	both, _ := elements(run(fmt.Sprintf("fractional_max_pool%dd", dims), t, a.repeated(1, dims), size, samples))
	return both
}

func unpool(a *arguments, dims int) any {
	t, indices, kernel := a.tensor(0), a.tensor(1), a.repeated(2, dims)
	stride, padding, shape := kernel, a.repeated(4, dims), t.Shape()
	if !a.none(3) {
		stride = a.repeated(3, dims)
	}
	if len(shape) < dims {
		a.fail("Expected an input of at least %d dimensions, got %s", dims, describe(t))
	}
	natural := make([]int64, dims)
	for d := range natural {
		natural[d] = (shape[len(shape)-dims+d]-1)*stride[d] + kernel[d] - 2*padding[d]
	}
	size := natural
	if !a.none(5) {
		if size = a.ints(5); len(size) == dims+2 {
			size = size[2:]
		}
		if len(size) != dims {
			a.fail("output_size should be a sequence containing %d or %d elements, but it has a length of '%d'", dims, dims+2, len(size))
		}
		for d := range size {
			if low, high := natural[d]-stride[d], natural[d]+stride[d]; size[d] <= low || size[d] >= high {
				a.fail("invalid output_size \"%s\" (dim %d must be between %d and %d)", Repr(Tuple(Size(size).anys())), d, low, high)
			}
		}
	}
	switch dims {
	case 1:
		out := one("max_unpool2d", one("unsqueeze", t, int64(-1)), one("unsqueeze", indices, int64(-1)), append(append([]int64{}, size...), 1))
		return one("squeeze", out, int64(-1))
	case 2:
		return one("max_unpool2d", t, indices, size)
	}
	return one("max_unpool3d", t, indices, size, stride, padding)
}

func interpolate(a *arguments, t tensor.Tensor, size, factor any, mode string, align any, recompute, antialias bool) any {
	dims := t.Dim() - 2
	plain := mode == "nearest" || mode == "area" || mode == "nearest-exact"
	if plain && align != nil {
		a.fail("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear")
	}
	corners, _ := align.(bool)
	of := func() string { return Repr(Size(t.Shape()[min(2, t.Dim()):]).anys()) }
	var out, scales any
	switch {
	case size != nil && factor != nil:
		a.fail("only one of size or scale_factor should be defined")
	case size != nil:
		if items, ok := elements(size); ok && len(items) != dims {
			a.fail("Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of %s and output size of %s. Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format.", of(), Repr(size))
		}
		out = a.repeated(1, dims)
		if recompute {
			a.fail("recompute_scale_factor is not meaningful with an explicit size.")
		}
	case factor != nil:
		factors := make([]any, max(dims, 0))
		items, ok := elements(factor)
		if ok && len(items) != dims {
			a.fail("Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions of %s and scale_factor of shape %s. Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format.", of(), Repr(factor))
		}
		sizes := make([]int64, len(factors))
		for i := range factors {
			if factors[i] = factor; ok {
				factors[i] = items[i]
			}
			f, isNumber := toFloat(factors[i])
			if !isNumber {
				a.wrong(2, "float or tuple of floats")
			}
			factors[i], sizes[i] = f, int64(float64(t.Shape()[i+2])*f)
		}
		scales = factors
		if recompute || mode == "area" {
			out, scales = sizes, nil
		}
	default:
		a.fail("either size or scale_factor should be defined")
	}
	if antialias && (mode != "bilinear" && mode != "bicubic" || t.Dim() != 4) {
		a.fail("Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input")
	}
	need := map[string]int{"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}[mode]
	switch {
	case dims < 1 || dims > 3 || !plain && need == 0:
		a.fail("Input Error: Only 3D, 4D and 5D input Tensors supported (got %dD) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got %s)", t.Dim(), mode)
	case need > 0 && need != dims:
		a.fail("Got %dD input, but %s mode needs %dD input", t.Dim(), mode, need+2)
	case mode == "area":
		return run(fmt.Sprintf("adaptive_avg_pool%dd", dims), t, out)
	case mode == "nearest":
		return run(fmt.Sprintf("upsample_nearest%dd", dims), t, out, scales)
	case mode == "nearest-exact":
		return run(fmt.Sprintf("_upsample_nearest_exact%dd", dims), t, out, scales)
	}
	op := "upsample_" + mode + map[int]string{1: "1d", 2: "2d", 3: "3d"}[dims]
	if antialias {
		op = "_" + op + "_aa"
	}
	return run(op, t, out, corners, scales)
}
