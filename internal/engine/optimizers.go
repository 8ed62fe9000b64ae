package engine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/lightning"
)

// configureOptimizers takes the optimizers and schedulers of a fit from the model.
func (t *Trainer) configureOptimizers() (lighter.Optimizer, *lighter.Schedule, error) {
	v, err := lightning.Hook(t.model, "configure_optimizers")(nil)
	if err != nil {
		return nil, nil, err
	}
	optimizers, schedules, err := lightning.Optimizers(v, t.model.AutomaticOptimization(), func(s string) { t.log.Warn().Msg(s) })
	if err != nil || len(optimizers) == 0 {
		return nil, nil, err
	}
	if len(schedules) == 0 {
		return optimizers[0], nil, nil
	}
	return optimizers[0], schedules[0], nil
}
