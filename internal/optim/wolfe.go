package optim

import (
	"math"

	"github.com/lighter-go/lighter/tensor"
)

// wolfe is PyTorch's line search for a step length that keeps the strong Wolfe conditions.
type wolfe struct {
	o        *lbfgs
	evaluate func() (float64, tensor.Tensor, error)
	change   float64
	most     int64 // evaluations
	evals    int64
}

// point is a step length tried: the loss there, its gradient, and the slope along the direction.
type point struct {
	t, f  float64
	g     tensor.Tensor
	slope float64
}

const c1, c2 = 1e-4, 0.9

// try evaluates at a step length and goes back.
func (w *wolfe) try(start []tensor.Tensor, t float64) (point, error) {
	w.o.move(t, w.o.d)
	f, g, err := w.evaluate()
	if err != nil {
		return point{}, err
	}
	for i, p := range w.o.public[0].Params {
		p.CopyInPlace(start[i])
	}
	w.evals++
	return point{t, f, g, dot(g, w.o.d)}, nil
}

// search gives the loss and gradient at the step length it finds.
func (w *wolfe) search(t, f float64, g tensor.Tensor, slope float64) (float64, tensor.Tensor, float64, error) {
	var start []tensor.Tensor
	for _, p := range w.o.public[0].Params {
		start = append(start, w.o.hold(p.Detach().Clone()))
	}
	size := largestOf(w.o.d)
	from := point{0, f, g, slope}
	tooHigh := func(p point) bool { return p.f > w.o.rounded(f+w.o.rounded(w.o.rounded(c1*p.t)*slope)) }
	flat := func(p point) bool { return math.Abs(p.slope) <= w.o.rounded(-w.o.rounded(c2)*slope) }
	now, err := w.try(start, t)
	if err != nil {
		return 0, g, 0, err
	}
	before, bracket, done := from, []point(nil), false
	tries := int64(0)
	for ; tries < w.most; tries++ {
		if tooHigh(now) || tries > 1 && now.f >= before.f {
			bracket = []point{before, now}
		} else if flat(now) {
			bracket, done = []point{now}, true
		} else if now.slope >= 0 {
			bracket = []point{before, now}
		}
		if bracket != nil {
			break
		}
		least, largest := now.t+0.01*(now.t-before.t), now.t*10
		next := w.interpolate(before, now, least, largest)
		before = now
		if now, err = w.try(start, next); err != nil {
			return 0, g, 0, err
		}
	}
	if tries == w.most {
		bracket = []point{from, now}
	}
	if bracket, err = w.zoom(start, bracket, done, tries, size, tooHigh, flat); err != nil {
		return 0, g, 0, err
	}
	best := bracket[lowest(bracket)]
	return best.f, best.g, best.t, nil
}

// lowest is the index of the point with the lowest loss.
func lowest(bracket []point) int {
	if bracket[0].f <= bracket[len(bracket)-1].f {
		return 0
	}
	return 1
}

// zoom narrows the bracket until a point keeps the conditions.
func (w *wolfe) zoom(start []tensor.Tensor, b []point, done bool, tries int64, size float64, tooHigh, flat func(point) bool) ([]point, error) {
	stuck := false
	for low := lowest(b); !done && tries < w.most; tries++ {
		high := 1 - low
		if math.Abs(b[1].t-b[0].t)*size < w.change {
			break
		}
		left, right := min(b[0].t, b[1].t), max(b[0].t, b[1].t)
		t := w.interpolate(b[0], b[1], left, right)
		eps := 0.1 * (right - left)
		if min(right-t, t-left) < eps {
			if stuck || t >= right || t <= left {
				if math.Abs(t-right) < math.Abs(t-left) {
					t = right - eps
				} else {
					t = left + eps
				}
				stuck = false
			} else {
				stuck = true
			}
		} else {
			stuck = false
		}
		now, err := w.try(start, t)
		if err != nil {
			return nil, err
		}
		if tooHigh(now) || now.f >= b[low].f {
			b[high] = now
			low = lowest(b)
			continue
		}
		if flat(now) {
			done = true
		} else if now.slope*(b[high].t-b[low].t) >= 0 {
			b[high] = b[low]
		}
		b[low] = now
	}
	return b, nil
}

// interpolate is the least of the cubic through two points, within bounds.
func (w *wolfe) interpolate(a, b point, least, largest float64) float64 {
	r := w.o.rounded
	d1 := r(r(a.slope+b.slope) - r(3*(a.f-b.f)/(a.t-b.t)))
	square := r(r(d1*d1) - r(a.slope*b.slope))
	if !(square >= 0) {
		return (least + largest) / 2
	}
	d2 := r(math.Sqrt(square))
	var at float64
	if a.t <= b.t {
		at = r(r(b.t) - r(r(b.t-a.t)*r(r(r(b.slope+d2)-d1)/r(r(b.slope-a.slope)+2*d2))))
	} else {
		at = r(r(a.t) - r(r(a.t-b.t)*r(r(r(a.slope+d2)-d1)/r(r(a.slope-b.slope)+2*d2))))
	}
	return min(max(at, least), largest)
}
