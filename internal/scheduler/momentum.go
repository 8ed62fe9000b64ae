package scheduler

import (
	"errors"
	"slices"

	"github.com/lighter-go/lighter"
)

// momentum is the cycling of CyclicLR and OneCycleLR: against the learning rate, SGD's momentum or the first of Adam's betas.
type momentum struct {
	cycled bool
	beta1  bool
}

// cycle begins cycling the momentum of an optimizer. With a last epoch of -1 the groups start at their maximum.
func (m *momentum) cycle(o lighter.Optimizer, lastEpoch int, lowest, highest PerGroup) (low, high []float64, err error) {
	m.cycled = true
	first := o.Groups()[0]
	_, m.beta1 = first.Option("betas").([]float64)
	if !m.beta1 && first.Option("momentum") == nil {
		return nil, nil, lighter.FieldError("cycle_momentum", "optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
	}
	if low, err = lowest.of(o, "base_momentum"); err != nil {
		return nil, nil, err
	}
	if high, err = highest.of(o, "max_momentum"); err != nil || lastEpoch != -1 {
		return low, high, err
	}
	for i, g := range o.Groups() {
		if err := m.set(g, high[i]); err != nil {
			return nil, nil, err
		}
		g.SetOption("max_momentum", high[i])
		g.SetOption("base_momentum", low[i])
	}
	return low, high, nil
}

func (m *momentum) set(g *lighter.ParamGroup, v float64) error {
	if !m.beta1 {
		g.SetOption("momentum", v)
		return nil
	}
	betas, ok := g.Option("betas").([]float64)
	if !ok || len(betas) == 0 {
		return errors.New("a parameter group of the optimizer has no betas")
	}
	betas = slices.Clone(betas)
	betas[0] = v
	g.SetOption("betas", betas)
	return nil
}

func (m *momentum) attributes() []attribute {
	return []attribute{{"cycle_momentum", &m.cycled}, {"use_beta1", onlyIf{&m.cycled, &m.beta1}}}
}
