package metric

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// curve is an accumulator for what is computed over all thresholds, and what its states mean. Without thresholds it keeps every
// prediction [n, C] and target; with T of them a histogram [T+1, C, 2]: how many negatives and positives of each class lie
// between which thresholds. C is the number of classes or labels, 1 for two classes.
type curve struct {
	*accumulator
	r          *reading
	task       string
	micro      bool // all classes in one curve
	raw        bool // predictions are taken as they are
	softmax    bool
	thresholds tensor.Tensor // float32 [T] in the order given, undefined for none; moves with the states
	sorted     tensor.Tensor // ascending
	order      tensor.Tensor // of sorted, to put back the order given
}

func newCurve(r *reading, task string, micro bool, normalization string, t Thresholds, o Options) *curve {
	c := &curve{r: r, task: task, micro: micro, raw: normalization == "none", softmax: normalization == "softmax" || task == "multiclass"}
	c.thresholds = t.tensor()
	c.accumulator = &accumulator{states: joins(2), onCPU: o.ComputeOnCPU}
	if t.given {
		ascending := tensor.Call("sort", c.thresholds)
		c.sorted = ascending[0].(tensor.Tensor)
		c.order = tensor.CallOne("argsort", ascending[1].(tensor.Tensor))
		c.states = sums(counter(c.thresholds.Numel()+1, c.columns(), 2))
		c.constants = []tensor.Tensor{c.thresholds, c.sorted, c.order}
	}
	c.key = r.key(fmt.Sprint("curve ", task, " ", micro, " ", normalization, " ", t))
	c.update = c.read
	return c
}

// columns is the number of curves.
func (c *curve) columns() int64 {
	if c.task == "binary" || c.micro {
		return 1
	}
	return c.r.classes
}

// read takes in a batch. A target that does not count becomes -1.
func (c *curve) read(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
	p, t := both(c.r.name, pred, target)
	c.check(p, t)
	switch c.task {
	case "binary":
		p, t = p.Reshape(-1), t.Reshape(-1)
	case "multiclass":
		c.r.known(p, t, false)
		p, t = byColumn(p, c.r.classes), t.Reshape(-1)
	default:
		p, t = byColumn(p, c.r.classes), byColumn(t, c.r.classes)
	}
	valid := c.r.valid(t)
	if !c.raw {
		mask := valid
		if c.task == "multiclass" && valid.Defined() {
			mask = tensor.CallOne("unsqueeze", valid, int64(1))
		}
		if c.task == "multilabel" {
			mask = tensor.Tensor{} // torchmetrics looks at all of them there
		}
		p = normalized(p, mask, c.softmax)
	}
	if valid.Defined() {
		t = tensor.CallOne("where", valid, t, int64(-1))
	}
	if c.micro && c.task == "multiclass" {
		hot := c.r.oneHot(t)
		if valid.Defined() {
			hot = tensor.CallOne("where", tensor.CallOne("unsqueeze", valid, int64(1)), hot, int64(-1))
		}
		p, t = p.Reshape(-1), hot.Reshape(-1)
	}
	if !c.thresholds.Defined() {
		return append(parts, p, t), 0
	}
	return append(parts, c.histogram(p, t)), 0
}

// byColumn makes [n, C] of [N, C, ...].
func byColumn(x tensor.Tensor, columns int64) tensor.Tensor {
	if x.Dim() == 2 {
		return x
	}
	return tensor.CallOne("transpose", tensor.CallOne("transpose", x, int64(0), int64(1)).Reshape(columns, -1), int64(0), int64(1))
}

// oneHot says of labels [n] which class they are: int64 [n, C].
func (r *reading) oneHot(t tensor.Tensor) tensor.Tensor {
	classes := tensor.CallOne("arange", r.classes, tensor.Kwarg{Name: "device", Value: t.Device()})
	hot := tensor.CallOne("unsqueeze", t, int64(1)).Eq(classes)
	return hot.To(t.Device(), tensor.Int64)
}

// positives says which of the targets are positive in each column, and which count, as int64 [n, C].
func (c *curve) positives(t tensor.Tensor) (positive, valid tensor.Tensor) {
	long := func(x tensor.Tensor) tensor.Tensor { return x.To(x.Device(), tensor.Int64) }
	valid = tensor.CallOne("ones_like", t)
	if c.r.ignore != nil {
		valid = tensor.CallOne("ge", t, int64(0))
	}
	if c.task == "multiclass" && !c.micro {
		return c.r.oneHot(t), tensor.CallOne("expand", tensor.CallOne("unsqueeze", long(valid), int64(1)), []int64{-1, c.r.classes})
	}
	positive = tensor.CallOne("eq", t, int64(1))
	return table(long(positive)), table(long(valid))
}

// table makes [n, C] of a vector, which has one column.
func table(x tensor.Tensor) tensor.Tensor {
	if x.Dim() > 1 {
		return x
	}
	return x.Reshape(-1, 1)
}

// histogram counts the negatives and positives between thresholds. NaN lies below all of them.
func (c *curve) histogram(p, t tensor.Tensor) tensor.Tensor {
	thresholds := c.sorted
	if p.DType() == tensor.Float64 {
		thresholds = thresholds.To(thresholds.Device(), tensor.Float64)
	} else {
		p = p.To(p.Device(), tensor.Float32)
	}
	p = table(p).Contiguous()
	bin := tensor.CallOne("searchsorted", thresholds, p, tensor.Kwarg{Name: "right", Value: true})
	bin = tensor.CallOne("masked_fill", bin, tensor.CallOne("isnan", p), int64(0))
	positive, valid := c.positives(t)
	index := times(bin, 2*c.columns()).Add(positive)
	if c.columns() > 1 {
		index = index.Add(times(tensor.CallOne("arange", c.columns(), tensor.Kwarg{Name: "device", Value: p.Device()}), 2))
	}
	shape := c.states[0].value.Shape()
	return tally(index, valid, shape[0]*shape[1]*2).Reshape(shape...)
}

// check is torchmetrics' check of shapes and types.
func (c *curve) check(p, t tensor.Tensor) {
	name := c.r.name
	if c.task == "multiclass" {
		ps, ts := p.Shape(), t.Shape()
		switch {
		case len(ps) != len(ts)+1:
			tensor.Fail(name, "Expected `preds` to have one more dimension than `target` but got %d and %d", len(ps), len(ts))
		case t.IsFloat():
			tensor.Fail(name, "Expected argument `target` to be an int or long tensor, but got tensor with dtype torch.%s", t.DType())
		case !p.IsFloat():
			tensor.Fail(name, "Expected `preds` to be a float tensor, but got torch.%s", p.DType())
		case len(ps) < 2 || ps[1] != c.r.classes:
			tensor.Fail(name, "Expected `preds.shape[1]` to be equal to the number of classes but got %s and %d.", lighter.SizeText(p), c.r.classes)
		case ps[0] != ts[0] || !slices.Equal(ps[2:], ts[1:]):
			tensor.Fail(name, "Expected the shape of `preds` should be (N, C, ...) and the shape of `target` should be (N, ...) but got %s and %s", lighter.SizeText(p), lighter.SizeText(t))
		}
		return
	}
	sameShape(name, p, t)
	switch {
	case t.IsFloat():
		tensor.Fail(name, "Expected argument `target` to be an int or long tensor with ground truth labels but got tensor with dtype torch.%s", t.DType())
	case !p.IsFloat():
		tensor.Fail(name, "Expected argument `preds` to be an floating tensor with probability/logit scores, but got tensor with dtype torch.%s", p.DType())
	}
	if c.task == "multilabel" {
		c.r.multilabel(p, t)
	}
	c.r.zeroOne(p, t)
}

// ranks are the numbers of false and true positives among the predictions from the highest down: [n, C], equal predictions all
// having the numbers after the last of them; and those of all, [C].
func (c *curve) ranks(s []tensor.Tensor) (fps, tps, negatives, positives tensor.Tensor) {
	positive, valid := c.positives(s[1])
	p := table(s[0])
	descending := tensor.Call("sort", p, int64(0), true)
	p, order := descending[0].(tensor.Tensor), descending[1].(tensor.Tensor)
	running := func(x tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("cumsum", tensor.CallOne("gather", x, int64(0), order), int64(0))
	}
	tps = running(positive.Mul(valid))
	fps = running(valid).Sub(tps)
	n := p.Size(0)
	last := tensor.CallOne("arange", n, tensor.Kwarg{Name: "device", Value: p.Device()}).Reshape(n, 1)
	last = tensor.CallOne("expand", last, p.Shape()).Clone()
	if n > 1 {
		same := tensor.CallOne("eq", p.Narrow(0, 1, n-1), p.Narrow(0, 0, n-1))
		head := tensor.CallOne("masked_fill", last.Narrow(0, 0, n-1), same, n-1)
		last = tensor.Cat([]tensor.Tensor{head, last.Narrow(0, n-1, 1)}, 0)
	}
	last = flip(tensor.Call("cummin", flip(last), int64(0))[0].(tensor.Tensor))
	at := func(x tensor.Tensor) tensor.Tensor { return tensor.CallOne("gather", x, int64(0), last) }
	return at(fps), at(tps), fps.Select(0, n-1), tps.Select(0, n-1)
}

func flip(x tensor.Tensor) tensor.Tensor { return tensor.CallOne("flip", x, []int64{0}) }

// binned are the numbers of false and true positives at each threshold, [T, C], in the order given; and those of all, [C].
func (c *curve) binned(histogram tensor.Tensor) (fps, tps, negatives, positives tensor.Tensor) {
	above := flip(tensor.CallOne("cumsum", flip(histogram), int64(0)))
	total := above.Select(0, 0)
	above = above.Narrow(0, 1, above.Size(0)-1).IndexSelect(0, c.order)
	return above.Select(2, 0), above.Select(2, 1), total.Select(1, 0), total.Select(1, 1)
}
