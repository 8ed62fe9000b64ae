package engine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// The keys of a checkpoint beside state_dict when a callback averages the weights: Lightning's.
const (
	currentKey   = "current_model_state"
	averagingKey = "averaging_state"
)

// saveAverage makes the average the model of a checkpoint, and puts the weights in training beside it.
func (t *Trainer) saveAverage(root *torchfile.Dict) {
	for _, c := range t.callbacks {
		a, ok := c.(lighter.Averager)
		if !ok {
			continue
		}
		if average, current, state := a.AverageState(); average != nil {
			root.Set("state_dict", stateDict(average))
			root.Set(currentKey, stateDict(current))
			root.Set(averagingKey, stateDict(state))
		}
	}
}

// restoreAverage gives a checkpoint's average, which the model has taken in, to the callbacks that keep one, and the weights in
// training to the model. With weightsOnly both begin with the average.
func (t *Trainer) restoreAverage(root *torchfile.Dict, weightsOnly bool) error {
	for _, c := range t.callbacks {
		a, ok := c.(lighter.Averager)
		if !ok {
			continue
		}
		average := map[string]tensor.Tensor{}
		tensor.NoGrad(func() {
			for _, e := range t.model.Tree().State() {
				average[e.Name] = e.Value.Clone()
			}
		})
		if root == nil { // a file of weights
			root = torchfile.NewDict()
		}
		currentDict, ok1 := get[*torchfile.Dict](root, currentKey)
		stateDict, ok2 := get[*torchfile.Dict](root, averagingKey)
		if weightsOnly || !ok1 || !ok2 {
			if !weightsOnly {
				t.log.Warn().Msg("The checkpoint was not created with WeightAveraging. Both the current and the average model will be initialized with state_dict.")
			}
			if err := a.LoadAverageState(average, nil, nil); err != nil {
				return err
			}
			continue
		}
		t.log.Info().Msg("Found current_model_state in the checkpoint. This will be used to initialize the model.")
		current, err := tensorsOf(currentDict)
		if err != nil {
			return err
		}
		state, err := tensorsOf(stateDict)
		if err != nil {
			return err
		}
		if err := a.LoadAverageState(average, current, state); err != nil {
			return err
		}
	}
	return nil
}
