package callback

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// Freezer are the arguments of Lighter's callback that keeps parameters from being trained, for a while or for good.
type Freezer struct {
	Names                Names `cfg:"names" help:"full names of parameters to freeze, relative to the network"`
	NameStartsWith       Names `cfg:"name_starts_with" help:"beginnings of the names of parameters to freeze"`
	ExceptNames          Names `cfg:"except_names" help:"full names of parameters to leave trainable"`
	ExceptNameStartsWith Names `cfg:"except_name_starts_with" help:"beginnings of the names of parameters to leave trainable"`
	UntilStep            *int  `cfg:"until_step" help:"the optimizer step from which on they are trained"`
	UntilEpoch           *int  `cfg:"until_epoch" help:"the epoch from which on they are trained, counted from 0"`
}

func init() {
	lighter.Register[lighter.Callback]("lighter.callbacks.Freezer", Freezer{}, "lighter.callbacks.freezer.Freezer")
}

// Doc is the component's prose.
func (Freezer) Doc() string {
	return `Freezes parameters of the network by name or by the beginning of a name. Every other parameter of the network is made
trainable, those that were frozen before too.`
}

// Names are the names an argument gives: null, a string or a list of strings.
type Names []string

// ConfigType names the forms.
func (*Names) ConfigType() string { return "a str, a list of strs or null" }

// DecodeConfig takes any of the forms.
func (n *Names) DecodeConfig(v any) error {
	wrong := func(v any) error { return fmt.Errorf("must be %s, got %s", n.ConfigType(), registry.Describe(v)) }
	switch x := v.(type) {
	case nil:
		*n = nil
	case string:
		*n = Names{x}
	case []any:
		*n = Names{}
		for _, item := range x {
			s, ok := item.(string)
			if !ok {
				return wrong(item)
			}
			*n = append(*n, s)
		}
	default:
		return wrong(v)
	}
	return nil
}

func (n Names) beginOf(name string) bool {
	return slices.ContainsFunc(n, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// Validate applies Lighter's rules on combinations.
func (a Freezer) Validate() error {
	switch {
	case a.Names == nil && a.NameStartsWith == nil:
		return wording("At least one of `names` or `name_starts_with` must be specified.")
	case a.UntilStep != nil && a.UntilEpoch != nil:
		return lighter.FieldError("until_epoch", "Only one of `until_step` or `until_epoch` can be specified.")
	}
	return nil
}

// Build makes the callback.
func (a Freezer) Build(env *lighter.Env) (lighter.Callback, error) {
	return &freezer{args: a, log: env.Log}, nil
}

type freezer struct {
	args   Freezer
	log    zerolog.Logger
	frozen bool
}

var _ lighter.BatchStarter = (*freezer)(nil)

// BatchStart freezes before the first training batch, and undoes that once the limit is reached.
func (f *freezer) BatchStart(t lighter.Trainer, _ lighter.Value, _ int) error {
	if t.Mode() != lighter.Train {
		return nil
	}
	a := f.args
	over := a.UntilStep != nil && t.GlobalStep() >= int64(*a.UntilStep) || a.UntilEpoch != nil && t.Epoch() >= *a.UntilEpoch
	if f.frozen != over {
		return nil
	}
	if f.frozen = !over; f.frozen {
		f.log.Info().Msg("Freezing the model.")
	} else {
		f.log.Info().Msg("Unfreezing the model.")
	}
	f.apply(networkOf(t.Model()))
	return nil
}

// networkOf is what names are relative to: the network of a model around one, another model as a whole.
func networkOf(m lighter.Model) *lighter.Node {
	if w, ok := m.(lighter.Wrapper); ok {
		return w.Inner()
	}
	for _, c := range m.Tree().Children() {
		if c.Name == "network" {
			return c.Module.Tree()
		}
	}
	return m.Tree()
}

// apply makes the named parameters trainable or not, and all others trainable.
func (f *freezer) apply(network *lighter.Node) {
	a := f.args
	var froze, unfroze, all []string
	for _, p := range network.Params() {
		all = append(all, p.Name)
		excepted := slices.Contains(a.ExceptNames, p.Name) || a.ExceptNameStartsWith.beginOf(p.Name)
		named := slices.Contains(a.Names, p.Name) || a.NameStartsWith.beginOf(p.Name)
		p.Value.SetRequiresGrad(excepted || !named || !f.frozen)
		switch {
		case excepted && f.frozen, !excepted && named && !f.frozen:
			unfroze = append(unfroze, p.Name)
		case !excepted && named:
			froze = append(froze, p.Name)
		}
	}
	if f.frozen {
		f.warnOfStrangers(all)
	}
	if froze != nil {
		f.log.Info().Msgf("Froze layers: %s%s", pythonList(froze), a.until())
	}
	if unfroze != nil {
		suffix := ""
		if f.frozen {
			suffix = " (excepted from freeze)"
		}
		f.log.Info().Msgf("Unfroze layers: %s%s", pythonList(unfroze), suffix)
	}
}

func (a Freezer) until() string {
	switch {
	case a.UntilStep != nil:
		return fmt.Sprintf(" until step %d", *a.UntilStep)
	case a.UntilEpoch != nil:
		return fmt.Sprintf(" until epoch %d", *a.UntilEpoch)
	}
	return ""
}

// warnOfStrangers names what fits no parameter: most likely it is misspelt.
func (f *freezer) warnOfStrangers(params []string) {
	for _, list := range []Names{f.args.Names, f.args.ExceptNames} {
		for _, name := range list {
			if !slices.Contains(params, name) {
				f.log.Warn().Msgf("Freezer: the network has no parameter %q", name)
			}
		}
	}
	for _, list := range []Names{f.args.NameStartsWith, f.args.ExceptNameStartsWith} {
		for _, prefix := range list {
			if !slices.ContainsFunc(params, func(p string) bool { return strings.HasPrefix(p, prefix) }) {
				f.log.Warn().Msgf("Freezer: no parameter of the network begins with %q", prefix)
			}
		}
	}
}
