package data

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// CollateFn is what makes a batch of a list of samples: a callable, or nil for collate.
type CollateFn func(samples []lighter.Value) (lighter.Value, error)

// ConfigType implements [registry.Decoder].
func (*CollateFn) ConfigType() string {
	return "a callable that makes a batch of a list of samples, or null"
}

// DecodeConfig implements [registry.Decoder].
func (c *CollateFn) DecodeConfig(v any) error {
	*c = nil
	switch f := v.(type) {
	case nil:
		return nil
	case registry.Func:
		*c = func(samples []lighter.Value) (lighter.Value, error) {
			v, err := f([]any{samples}, nil)
			return lighter.Plain(v), err
		}
		return nil
	}
	return fmt.Errorf("must be %s, got %s", c.ConfigType(), lighter.TypeName(v))
}

// CheckConfig refuses a component that is no callable.
func (c *CollateFn) CheckConfig(v any) error {
	if p, ok := v.(registry.Promise); ok {
		return fmt.Errorf("must be a callable, got %s\nadd `_mode_: callable` beside its _target_", p.Entry.Target)
	}
	if _, later := v.(config.Unknown); later {
		return nil
	}
	return c.DecodeConfig(v)
}

// Collate is what a DataLoader makes a batch with: a CollateFn, or a transform that is done to what default_collate gives.
type Collate struct {
	f   CollateFn
	mix lighter.Transform
}

// ConfigType implements [registry.Decoder].
func (*Collate) ConfigType() string {
	return "a callable that makes a batch of a list of samples, a transform of batches (MixUp, CutMix), or null"
}

// DecodeConfig implements [registry.Decoder].
func (c *Collate) DecodeConfig(v any) error {
	*c = Collate{}
	if t, ok := v.(lighter.Transform); ok {
		c.mix = t
		return nil
	}
	return c.f.DecodeConfig(v)
}

// CheckConfig implements [registry.Checker].
func (c *Collate) CheckConfig(v any) error {
	if p, ok := v.(registry.Promise); ok && p.Entry.Kind == reflect.TypeFor[lighter.Transform]() {
		return nil
	}
	return c.f.CheckConfig(v)
}

// DefaultCollate is torch.utils.data.default_collate.
type DefaultCollate struct {
	Batch []any `cfg:"batch,required" help:"the samples"`
}

// Doc is the reference's text.
func (DefaultCollate) Doc() string {
	return "A function of a list of samples for the `collate_fn` of a DataLoader, and what it takes by default: name it with `_mode_: callable`."
}

// Build makes the batch.
func (c DefaultCollate) Build(*lighter.Env) (any, error) {
	if len(c.Batch) == 0 {
		return nil, lighter.FieldError("batch", "is empty")
	}
	return collate(c.Batch)
}

// CollateReplaceCorrupted is Lighter's collate function for datasets that give null for a sample they can't read.
type CollateReplaceCorrupted struct {
	Batch            []any           `cfg:"batch,required" help:"the samples"`
	Dataset          lighter.Dataset `cfg:"dataset,required" help:"where the replacements come from"`
	DefaultCollateFn CollateFn       `cfg:"default_collate_fn" help:"makes the batch; default: torch.utils.data.default_collate"`
	MaxRetries       int             `cfg:"max_retries" help:"how often replacements may be null in their turn"`
}

// Doc is the reference's text.
func (CollateReplaceCorrupted) Doc() string {
	return `A function of a list of samples for the ` + "`collate_fn`" + ` of a DataLoader: name it with ` + "`_mode_: callable`" + ` and give it the
dataset. Samples that are null are replaced by random ones of the dataset, and a warning says how many. Replacements are drawn
from the default generator (Lighter draws them from Python's).`
}

// Build makes the batch.
func (c CollateReplaceCorrupted) Build(env *lighter.Env) (any, error) {
	batch, err := c.replace(env.Log)
	if err != nil {
		return nil, err
	}
	if c.DefaultCollateFn != nil {
		return c.DefaultCollateFn(batch)
	}
	return collate(batch)
}

func (c CollateReplaceCorrupted) replace(log zerolog.Logger) (batch []lighter.Value, err error) {
	defer tensor.Recover(&err)
	n := c.Dataset.Len()
	if n == 0 || len(c.Batch) == 0 {
		return nil, errors.New("there are no samples")
	}
	replaced, samples := 0, c.Batch
	for try := 1; ; try++ {
		corrupted := 0
		for _, s := range samples {
			if s == nil {
				corrupted++
			} else {
				batch = append(batch, s)
			}
		}
		if corrupted == 0 {
			break
		}
		if try > c.MaxRetries {
			return nil, fmt.Errorf("reached maximum retry limit (%d) while trying to replace corrupted samples. Found %d total corrupted samples with %d still remaining. This indicates a high corruption rate in the dataset. Consider investigating the dataset integrity or increasing max_retries", c.MaxRetries, replaced+corrupted, corrupted)
		}
		replaced += corrupted
		index := tensor.Values[int64](tensor.CallOne("randint", n, []int64{int64(corrupted)}, tensor.Kwarg{Name: "dtype", Value: tensor.Int64}))
		samples = make([]lighter.Value, corrupted)
		for k, i := range index {
			if samples[k], err = c.Dataset.Item(int(i)); err != nil {
				return nil, fmt.Errorf("sample %d: %w", i, err)
			}
		}
	}
	if replaced > 0 {
		log.Warn().Msgf("Found and replaced %d corrupted samples in a batch.", replaced)
	}
	return batch, nil
}

func init() {
	registry.Register[any]("torch.utils.data.default_collate", DefaultCollate{}, "torch.utils.data.dataloader.default_collate", "torch.utils.data._utils.collate.default_collate")
	registry.Register[any]("lighter.utils.data.collate_replace_corrupted", CollateReplaceCorrupted{MaxRetries: 100})
}

var (
	_ registry.Decoder = (*CollateFn)(nil)
	_ registry.Checker = (*Collate)(nil)
)
