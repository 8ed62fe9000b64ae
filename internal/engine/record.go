package engine

import (
	"fmt"
	"io"
	"math/big"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/torchfile"
)

// configRecord is the merged configuration in the forms a run keeps: YAML beside its logs, a dict in its checkpoints.
type configRecord struct {
	yaml []byte
	dict any
}

func recordOf(c *config.Config) configRecord {
	return configRecord{yaml: c.YAML(), dict: toDict(c.Root)}
}

func (r configRecord) write(w io.Writer) error {
	_, err := w.Write(r.yaml)
	return err
}

// toDict keeps the order of keys, on which the order of random draws depends.
func toDict(n *config.Node) any {
	switch n.Kind {
	case config.List:
		items := make([]any, len(n.Items))
		for i, v := range n.Items {
			items[i] = toDict(v)
		}
		return items
	case config.Map:
		d := torchfile.NewDict()
		for _, p := range n.Pairs {
			d.Set(p.Key, toDict(p.Value))
		}
		return d
	}
	if b, ok := n.Value.(*big.Int); ok {
		return b.String()
	}
	return n.Value
}

// configOf reads the configuration that a checkpoint holds.
func configOf(path string) (*config.Node, error) {
	fail := func(err error) (*config.Node, error) {
		return nil, &Error{Code: ExitCheckpoint, Err: fmt.Errorf("load %s: %w", path, err)}
	}
	f, err := torchfile.Open(path)
	if err != nil { // it names the file
		return nil, &Error{Code: ExitCheckpoint, Err: fmt.Errorf("load %w", err)}
	}
	defer f.Close()
	if root, ok := f.Root.(*torchfile.Dict); ok {
		if hparams, ok := get[*torchfile.Dict](root, "hyper_parameters"); ok {
			if d, ok := get[*torchfile.Dict](hparams, "config"); ok {
				return fromDict(d, diag.Pos{Source: path})
			}
		}
	}
	return fail(fmt.Errorf("it holds no configuration (hyper_parameters::config): give the YAML and --ckpt_path %s", path))
}

func fromDict(v any, pos diag.Pos) (*config.Node, error) {
	n := &config.Node{Value: v, Pos: pos}
	switch x := v.(type) {
	case nil:
		n.Kind = config.Null
	case bool:
		n.Kind = config.Bool
	case int64:
		n.Kind = config.Int
	case float64:
		n.Kind = config.Float
	case string:
		n.Kind = config.String
	case []any:
		n.Kind, n.Value = config.List, nil
		for _, item := range x {
			child, err := fromDict(item, pos)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, child)
		}
	case torchfile.Tuple:
		return fromDict([]any(x), pos)
	case *torchfile.Dict:
		n.Kind, n.Value = config.Map, nil
		for k, item := range x.All() {
			child, err := fromDict(item, pos)
			if err != nil {
				return nil, err
			}
			n.Pairs = append(n.Pairs, config.Pair{Key: fmt.Sprint(k), KeyPos: pos, Value: child})
		}
	default:
		return nil, &Error{Code: ExitCheckpoint, Err: fmt.Errorf("load %s: its configuration holds a %T", pos.Source, v)}
	}
	return n, nil
}

// ConfigOf is the configuration that a checkpoint holds, as YAML.
func ConfigOf(path string) ([]byte, error) {
	n, err := configOf(path)
	if err != nil {
		return nil, err
	}
	c, problems := config.Compose(n)
	if problems.HasErrors() {
		return nil, &ConfigError{problems, c.Sources}
	}
	return c.YAML(), nil
}
