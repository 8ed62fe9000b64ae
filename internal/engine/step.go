package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// each runs do on every batch of an epoch, from batch from on. It is the only place that knows limits, cancellation, train and eval mode, grad
// mode, device moves, the scope that frees a batch's tensors, and the recover that says where an operation failed. after, when
// given, runs between batches, outside that scope, so that peak memory is not the sum of both.
func (t *Trainer) each(m lighter.Mode, it lighter.Iterator, from int, do func(batch lighter.Value, idx int) error, after func() (stop bool, err error)) error {
	l := &t.loops[m]
	for l.batch = from; !l.endsAt(l.batch); l.batch++ {
		if t.ctx.Err() != nil && (m != lighter.Train || l.batch == 0 || t.forwardOnly || t.windowEnds(l.batch-1)) {
			return context.Cause(t.ctx) // a training step is finished first, all the batches it takes
		}
		more, err := t.batch(m, it, do)
		if err != nil || !more {
			return err
		}
		if l.over {
			return nil
		}
		if after == nil {
			continue
		}
		if stop, err := after(); stop || err != nil {
			return err
		}
	}
	return nil
}

// batch does one batch in a scope of its own; more is false when there is none.
func (t *Trainer) batch(m lighter.Mode, it lighter.Iterator, do func(batch lighter.Value, idx int) error) (more bool, err error) {
	s := tensor.Open()
	defer s.Close()
	defer t.results.batchDone()
	l := &t.loops[m]
	defer func() {
		if err != nil {
			err = t.located(m, l.batch, err)
		}
	}()
	defer tensor.Recover(&err)
	t.profileBatch()
	defer func() { err = t.profiledBatch(err) }()
	done := t.profile(nextBatch)
	batch, ok, err := it.Next()
	done()
	if err != nil {
		return false, &Error{Code: ExitData, Err: err}
	}
	if !ok {
		return false, nil
	}
	t.host = batch
	l.total++
	if batch, err = t.transfer(batch); err != nil {
		return true, err
	}
	l.size = batchSize(batch)
	t.beginLogs()
	return true, do(batch, l.batch)
}

// enter switches to a mode, and autograd to recording or not. The restore puts both back.
func (t *Trainer) enter(m lighter.Mode) (restore func()) {
	was := t.mode
	t.mode = m
	grad := func() {}
	switch {
	case m == lighter.Train:
		grad = tensor.SetGradEnabled(true)
	case t.args.InferenceMode:
		grad = tensor.InferenceMode()
	default:
		grad = tensor.SetGradEnabled(false)
	}
	return func() {
		grad()
		t.mode = was
	}
}

// inEval are the modules in evaluation mode.
func inEval(node *lighter.Node) []*lighter.Node {
	var in []*lighter.Node
	node.Walk(func(_ string, n *lighter.Node) {
		if !n.Training() {
			in = append(in, n)
		}
	})
	return in
}

// transfer takes a batch to the device.
func (t *Trainer) transfer(batch lighter.Value) (_ lighter.Value, err error) {
	if !t.hooks.has(onBeforeBatchTransfer) && !t.hooks.has(transferBatchToDevice) && !t.hooks.has(onAfterBatchTransfer) {
		t.measured(batchToDevice, func() { batch = t.place(batch) })
		return batch, nil
	}
	loader := int64(t.loops[t.mode].loader)
	change := func(p point, args ...lighter.Value) (ok bool) {
		var v lighter.Value
		if v, ok, err = t.callLast(p, args...); ok {
			batch = v
		}
		return ok
	}
	if change(onBeforeBatchTransfer, batch, loader); err != nil {
		return nil, err
	}
	if !change(transferBatchToDevice, batch, t.device, loader) {
		t.measured(batchToDevice, func() { batch = t.place(batch) })
	}
	if err == nil {
		change(onAfterBatchTransfer, batch, loader)
	}
	return batch, err
}

// step runs the model's step.
func (t *Trainer) step(batch lighter.Value, idx int) (v lighter.Value, err error) {
	if p := t.args.Precision; p.mixed {
		defer tensor.Autocast(t.device.Type, p.dtype)()
	}
	done := t.profile(modelStep)
	defer done()
	if t.stepper != nil {
		before := t.hooks.fx
		t.hooks.fx = pointNames[stepPoints[t.mode]]
		out, err := t.stepper.Step(t, batch, idx)
		if t.hooks.fx = before; out == nil {
			return nil, err
		}
		return out, err
	}
	v, ok, err := t.callLast(stepPoints[t.mode], t.batchArgs(batch, idx)...)
	if !ok {
		return t.model.Forward(batch), nil // predict without a step
	}
	return v, err
}

// lossOf takes the tensor to minimise out of a step's output; undefined when there is none.
func lossOf(out lighter.Output) (tensor.Tensor, error) {
	switch l := out["loss"].(type) {
	case nil:
		return tensor.Tensor{}, nil
	case tensor.Tensor:
		return l, nil
	case lighter.Dict:
		total, ok := l["total"].(tensor.Tensor)
		if !ok {
			return total, fmt.Errorf("step result: Loss dict must include 'total' key. Got keys: %q. Example: {'loss': {'total': combined, 'ce': ce}}", slices.Sorted(maps.Keys(l)))
		}
		return total, nil
	}
	return tensor.Tensor{}, fmt.Errorf("a step's loss must be a Tensor or a dict, got %s", lighter.TypeName(out["loss"]))
}

// located says in which batch an error happened, and in which module an operation failed.
func (t *Trainer) located(m lighter.Mode, batch int, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	where := []string{m.String()}
	if t.sanity {
		where = []string{"sanity check"}
	}
	if t.stage == "fit" {
		where = append(where, fmt.Sprintf("epoch %d", t.state.Epoch))
	}
	where = append(where, fmt.Sprintf("batch %d", batch))
	code := ExitFailure
	var known *Error
	if errors.As(err, &known) {
		code = known.Code
	}
	var sample *lighter.SampleError
	if errors.As(err, &sample) {
		code, err = ExitData, fmt.Errorf("%s: %w", locator(t.loops[m].iterator)(sample.K), err)
	}
	var op *tensor.Error
	if errors.As(err, &op) {
		if op.Kind == tensor.OutOfMemory {
			code = ExitMemory
		}
		if path, m := t.model.Tree().Failed(); path != "" {
			where = append(where, fmt.Sprintf("%s::%s (%s)", t.section, path, m.Target()))
		}
	}
	return &Error{Code: code, Err: fmt.Errorf("%s: %w", strings.Join(where, ", "), err)}
}

// checkLoss stops on a NaN loss. On the CPU reading it costs nothing; on another device it would make the host wait in every
// step, so there the loss is looked at when a row is due.
func (t *Trainer) checkLoss(loss tensor.Tensor) error {
	if t.rehearsing || t.device.Type != tensor.CPU && !t.StepLogged() {
		return nil
	}
	if math.IsNaN(loss.Item()) {
		if err := notANumber(t.host); err != nil {
			return err
		}
		return &Error{Code: ExitNumeric, Err: errors.New("the loss is NaN: lower the learning rate, clip gradients (trainer::gradient_clip_val), or look at this batch; trainer::detect_anomaly=true names the operation")}
	}
	return nil
}

// notANumber finds the first sample of a batch that holds NaN, which the loss then has it from: a *[lighter.SampleError].
func notANumber(batch lighter.Value) error {
	s := tensor.Open()
	defer s.Close()
	var found error
	lighter.MapTensors(batch, func(x tensor.Tensor) tensor.Tensor {
		if found != nil || !x.IsFloat() || x.Dim() == 0 || x.Numel() == 0 {
			return x
		}
		bad := tensor.CallOne("nonzero", tensor.CallOne("any", tensor.CallOne("isnan", x).Flatten(0, -1).Reshape(x.Size(0), -1), 1))
		if n := bad.Size(0); n > 0 {
			k := tensor.Values[int64](bad)[0]
			found = &lighter.SampleError{K: int(k), Err: fmt.Errorf("the loss is NaN because the data is: a tensor %s of the batch holds NaN in %d of its samples, first in this one", lighter.SizeText(x), n)}
		}
		return x
	})
	return found
}
