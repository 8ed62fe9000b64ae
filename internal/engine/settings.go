package engine

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
)

// The settings of a run that stand beside its three sections: `seed` and `args`.

// seed is the configuration's, else PL_GLOBAL_SEED, else 0, as Lightning's seed_everything takes it.
func seed(c *config.Config) (uint64, error) {
	n := c.At("seed")
	if n == nil || n.Kind == config.Null {
		text := os.Getenv("PL_GLOBAL_SEED")
		v, err := strconv.ParseUint(text, 10, 32)
		if text != "" && err != nil {
			return 0, diag.Diagnostic{Msg: fmt.Sprintf("PL_GLOBAL_SEED must be an integer from 0 to 4294967295, got %q", text)}
		}
		return v, nil
	}
	resolved, err := registry.Value(c, "seed")
	if err != nil {
		return 0, err
	}
	v, ok := resolved.(int64)
	if !ok || v < 0 || v > 1<<32-1 {
		return 0, diag.Diagnostic{Pos: n.Pos, Path: "seed", Msg: "seed must be an integer from 0 to 4294967295"}
	}
	return uint64(v), nil
}

var stages = []string{"fit", "validate", "test", "predict"}

// stageArgs takes the options of `args::<stage>`; those of the command line win.
func stageArgs(c *config.Config, stage string, o *Options) (problems diag.List) {
	n := c.At(config.Join("args", stage))
	if n == nil {
		return nil
	}
	known := []string{"ckpt_path", "weights_only", "verbose", "return_predictions"}
	if stage == "fit" {
		known = append(known, "resume")
	}
	for _, p := range n.Pairs {
		path := config.Join("args", stage) + config.Sep + p.Key
		wrong := func(want string) {
			problems.Errorf(p.Value.Pos, path, "%s of the stage %s must be %s, got %s", p.Key, stage, want, p.Value.Kind)
		}
		flag, isBool := p.Value.Value.(bool)
		switch {
		case p.Value.Kind == config.Null:
		case p.Key == "ckpt_path" && p.Value.Kind != config.String:
			wrong("a str")
		case p.Key == "ckpt_path":
			o.CkptPath = cmp.Or(o.CkptPath, p.Value.Text())
		case p.Key == "resume" && stage == "fit" && p.Value.Value != resumeAuto:
			problems.Errorf(p.Value.Pos, path, "resume of the stage fit must be %q, got %s", resumeAuto, p.Value.Text())
		case p.Key == "resume" && stage == "fit":
			o.Resume = resumeAuto
		case slices.Contains(known, p.Key) && !isBool:
			wrong("a bool")
		case p.Key == "weights_only":
			o.WeightsOnly = o.WeightsOnly || flag
		case slices.Contains(known, p.Key):
			problems.Warnf(p.KeyPos, path, "%s is an option of the command line here", p.Key)
		default:
			d := problems.Errorf(p.KeyPos, path, "unknown option %q of the stage %s", p.Key, stage)
			if near := diag.Nearest(p.Key, known, 1); len(near) > 0 {
				d.Hint = fmt.Sprintf("did you mean %q?", near[0])
			}
		}
	}
	return problems
}
