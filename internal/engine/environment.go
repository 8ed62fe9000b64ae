package engine

import (
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
)

// fromEnvironment are the Trainer's arguments that variables PL_TRAINER_<ARGUMENT> give and the configuration does not, each as an
// input of its own: PyTorch Lightning's _defaults_from_env_vars. An empty variable is none.
func fromEnvironment(c *config.Config) []any {
	trainer := c.Root.Get("trainer")
	entry, ok := registry.Lookup(trainer.Get("_target_").Text())
	if !ok || entry.Kind != reflect.TypeFor[*Trainer]() {
		return nil
	}
	var inputs []any
	for _, f := range entry.Fields {
		name := "PL_TRAINER_" + strings.ToUpper(f.Name)
		text := os.Getenv(name)
		if _, given := trainer.Lookup(f.Name); given || text == "" {
			continue
		}
		pos := diag.Pos{Source: name}
		value := literal(text)
		value.Pos = pos
		section := &config.Node{Kind: config.Map, Pos: pos, Pairs: []config.Pair{{Key: f.Name, KeyPos: pos, Value: value}}}
		inputs = append(inputs, &config.Node{Kind: config.Map, Pos: pos, Pairs: []config.Pair{{Key: "trainer", KeyPos: pos, Value: section}}})
	}
	return inputs
}

// literal is a variable's value as Python's literal_eval reads it; what that cannot read is a string.
func literal(text string) *config.Node {
	trimmed := strings.TrimSpace(text)
	switch trimmed {
	case "None":
		return &config.Node{Kind: config.Null}
	case "True", "False":
		return &config.Node{Kind: config.Bool, Value: trimmed == "True"}
	}
	number := strings.ReplaceAll(trimmed, "_", "")
	if i, err := strconv.ParseInt(number, 10, 64); err == nil {
		return &config.Node{Kind: config.Int, Value: i}
	}
	if f, err := strconv.ParseFloat(number, 64); err == nil && strings.ContainsAny(number[:1], "+-.0123456789") {
		return &config.Node{Kind: config.Float, Value: f}
	}
	if trimmed != "" && strings.Contains(`[{'"`, trimmed[:1]) {
		if c, problems := config.Compose("value=" + trimmed); !problems.HasErrors() {
			return c.Root.Get("value")
		}
	}
	return &config.Node{Kind: config.String, Value: text}
}
