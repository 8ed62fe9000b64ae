package mine

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
)

// Best tells at the end of a fit when a metric was lowest.
type Best struct {
	Monitor string `cfg:"monitor" help:"a logged name"`
}

func init() { lighter.Register[lighter.Callback]("mine.Best", Best{Monitor: "val/loss/epoch"}) }

func (c Best) Build(env *lighter.Env) (lighter.Callback, error) {
	return &best{monitor: c.Monitor, env: env, value: math.Inf(1)}, nil
}

// best acts through the interfaces of package lighter's hooks: here EpochEnder, StageEnder and Stateful.
type best struct {
	monitor string
	env     *lighter.Env
	value   float64
	epoch   int64
}

func (b *best) EpochEnd(t lighter.Trainer) error {
	v, ok := t.Metrics()[b.monitor]
	if t.Mode() == lighter.Val && !t.SanityChecking() && ok && v < b.value {
		b.value, b.epoch = v, int64(t.Epoch())
	}
	return nil
}

func (b *best) StageEnd(t lighter.Trainer) error {
	if t.Stage() == "fit" && !math.IsInf(b.value, 1) {
		b.env.Log.Info().Msgf("%s was lowest after epoch %d: %.4g", b.monitor, b.epoch, b.value)
	}
	return nil
}

func (b *best) StateKey() string { return "Best{'monitor': '" + b.monitor + "'}" }

func (b *best) StateDict() lighter.Dict { return lighter.Dict{"value": b.value, "epoch": b.epoch} }

func (b *best) LoadStateDict(d lighter.Dict) error {
	var ok, both bool
	b.value, ok = d["value"].(float64)
	b.epoch, both = d["epoch"].(int64)
	if !ok || !both {
		return fmt.Errorf("the state of mine.Best holds no value and epoch")
	}
	return nil
}
