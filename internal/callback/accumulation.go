package callback

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
)

// GradientAccumulationScheduler are the arguments of Lightning's callback that changes how many batches make one optimizer step.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.GradientAccumulationScheduler.html
type GradientAccumulationScheduler struct {
	Scheduling Scheduling `cfg:"scheduling,required" help:"the number of batches by the epoch that it begins in, counted from 0"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.GradientAccumulationScheduler", GradientAccumulationScheduler{},
		aliases("callbacks", "gradient_accumulation_scheduler", "GradientAccumulationScheduler")...)
}

// Scheduling is the argument scheduling, in the order of the epochs.
type Scheduling []accumulationFrom

type accumulationFrom struct{ epoch, batches int }

// ConfigType names the form.
func (*Scheduling) ConfigType() string { return "a mapping of epochs to numbers of batches, {4: 2}" }

// DecodeConfig takes a mapping; its keys may come as text.
func (s *Scheduling) DecodeConfig(v any) error {
	d, ok := v.(*config.Dict)
	if !ok {
		return fmt.Errorf("must be %s, got %s", s.ConfigType(), registry.Describe(v))
	}
	if len(d.Keys) == 0 {
		return wording("Empty dict cannot be interpreted correct")
	}
	*s = nil
	for i, k := range d.Keys {
		epoch, err := strconv.Atoi(fmt.Sprint(k))
		if err != nil || epoch < 0 {
			return wording("Epoch should be an int greater than or equal to 0. Got %s.", listText(d.Keys))
		}
		batches, ok := d.Values[i].(int64)
		if !ok || batches < 1 {
			return wording("Accumulation factor should be an int greater than 0. Got %s.", listText(d.Values))
		}
		*s = append(*s, accumulationFrom{epoch, int(batches)})
	}
	slices.SortStableFunc(*s, func(a, b accumulationFrom) int { return a.epoch - b.epoch })
	return nil
}

func listText(items []any) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprint(item)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// at is the number of batches in an epoch; 1 before the first that is given.
func (s Scheduling) at(epoch int) int {
	n := 1
	for _, from := range s {
		if from.epoch <= epoch {
			n = from.batches
		}
	}
	return n
}

// Build makes the callback.
func (a GradientAccumulationScheduler) Build(*lighter.Env) (lighter.Callback, error) {
	return &accumulation{scheduling: a.Scheduling}, nil
}

type accumulation struct{ scheduling Scheduling }

var (
	_ lighter.StageStarter = (*accumulation)(nil)
	_ lighter.EpochStarter = (*accumulation)(nil)
)

// StageStart sets the number for a fit that goes on within an epoch.
func (a *accumulation) StageStart(t lighter.Trainer) error {
	if t.Stage() != "fit" {
		return nil
	}
	c, err := controlOf(t)
	if err != nil {
		return err
	}
	if c.AccumulateGradBatches() != 1 {
		return wording("You have set `accumulate_grad_batches` and are using the `GradientAccumulationScheduler` callback. Either remove `accumulate_grad_batches` from the Trainer or remove the callback.")
	}
	c.SetAccumulateGradBatches(a.scheduling.at(t.Epoch()))
	return nil
}

// EpochStart sets the number of an epoch.
func (a *accumulation) EpochStart(t lighter.Trainer) error {
	if t.Mode() != lighter.Train {
		return nil
	}
	c, err := controlOf(t)
	if err != nil {
		return err
	}
	c.SetAccumulateGradBatches(a.scheduling.at(t.Epoch()))
	return nil
}
