package engine

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// rowWriter writes a row of its own before every batch whose optimizer step has a row.
type rowWriter struct{}

func (rowWriter) BatchStart(t lighter.Trainer, _ lighter.Value, idx int) error {
	if !t.RowDue() {
		return nil
	}
	return t.WriteRow([]lighter.Scalar{{Name: "lr", Value: 0.1 + float64(idx)}})
}

// A callback's own rows carry the step of the training row under way and no epoch, come in each batch of an accumulated step as in
// Lightning, and keep float64; as metrics they are float32 like all others.
func TestRowsOfCallbacks(t *testing.T) {
	tensortest.Scope(t)
	j := &journal{batches: [4]int{8, 0}}
	tr := newFit(j, arguments{MaxEpochs: num(1), CheckValEveryNEpoch: num(1), NumSanityValSteps: num(0), AccumulateGradBatches: 2, LogEveryNSteps: num(2)})
	tr.callbacks = []lighter.Callback{rowWriter{}}
	tr.bindHooks()
	defer tr.free()
	if err := tr.fit(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-/1 lr=2.1", "-/1 lr=3.1", "0/1 train/loss/step=4",
		"-/3 lr=6.1", "-/3 lr=7.1", "0/3 train/loss/step=8", "0/3 train/loss/epoch=4.5",
	}
	if !slices.Equal(j.rows, want) {
		t.Errorf("rows %q, want %q", j.rows, want)
	}
	if got := tr.Metrics()["lr"]; got != float64(float32(7.1)) {
		t.Errorf("the metric is %v", got)
	}
}

// rowTaker notes the rows it sees.
type rowTaker struct{ rows []string }

func (r *rowTaker) Row(_ lighter.Trainer, row []lighter.Scalar, step int64) error {
	r.rows = append(r.rows, fmt.Sprint(step, row))
	return nil
}

// A callback that takes rows sees those that the loggers get, and no others.
func TestRowsForCallbacks(t *testing.T) {
	tensortest.Scope(t)
	j := &journal{batches: [4]int{4, 2}}
	tr := newFit(j, arguments{MaxEpochs: num(1), CheckValEveryNEpoch: num(1), NumSanityValSteps: num(2), AccumulateGradBatches: 1, LogEveryNSteps: num(2)})
	taker := &rowTaker{}
	tr.callbacks = []lighter.Callback{rowWriter{}, taker}
	tr.bindHooks()
	defer tr.free()
	if err := tr.fit(); err != nil {
		t.Fatal(err)
	}
	if len(taker.rows) != len(j.rows) || len(j.rows) < 5 {
		t.Errorf("the loggers got %q, the callback %q", j.rows, taker.rows)
	}
}
