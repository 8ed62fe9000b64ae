package callback

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Our own additions to Lightning's state.
const (
	keptOrder = "best_k_models_order"    // the keys of best_k_models in the order they were kept, which decides between equal scores
	savedStep = "last_global_step_saved" // nothing is saved twice at one step
	savedPath = "last_checkpoint_saved"
	replaced  = "replaced"  // what that checkpoint makes superfluous
	deferred  = "deferred"  // a save waits for a validation
	validated = "validated" // the metrics of a validation are known
)

// StateDict is the state under Lightning's names. Scores are scalar tensors of the innermost scope.
func (c *Checkpoint) StateDict() lighter.Dict {
	best, order := lighter.Dict{}, lighter.List{}
	for _, b := range c.best {
		best[b.path] = scoreTensor(&b.score)
		order = append(order, b.path)
	}
	state := lighter.Dict{
		"monitor":             nil,
		"best_model_score":    scoreTensor(c.bestScore),
		"best_model_path":     c.bestPath,
		"current_score":       scoreTensor(c.lastScore),
		"dirpath":             c.dir,
		"best_k_models":       best,
		"kth_best_model_path": c.kthPath,
		"kth_value":           scoreTensor(&c.kthValue),
		"last_model_path":     c.lastPath,
		keptOrder:             order,
		savedStep:             c.savedStep,
		savedPath:             c.savedPath,
		replaced:              lighter.List{},
		deferred:              c.deferred,
		validated:             c.validated,
	}
	for _, path := range c.replaced {
		state[replaced] = append(state[replaced].(lighter.List), path)
	}
	if c.monitor != "" {
		state["monitor"] = c.monitor
	}
	return state
}

func scoreTensor(score *float64) lighter.Value {
	if score == nil {
		return nil
	}
	return tensor.FromSlice([]float32{float32(*score)})
}

// LoadStateDict restores the state of [Checkpoint.StateDict] or of Lightning's callback. When the folder has changed since,
// only the best path is taken over, as in Lightning.
func (c *Checkpoint) LoadStateDict(state lighter.Dict) error {
	dir, _ := state["dirpath"].(string)
	bestPath, _ := state["best_model_path"].(string)
	if dir != c.dir {
		c.log.Warn().Msgf("The dirpath has changed from %q to %q, therefore `best_model_score`, `kth_best_model_path`, `kth_value`, "+
			"`last_model_path` and `best_k_models` won't be reloaded. Only `best_model_path` will be reloaded.", dir, c.dir)
		c.bestPath = bestPath
		return nil
	}
	models, _ := state["best_k_models"].(lighter.Dict)
	var best []kept
	for _, path := range loadedOrder(state, models) {
		score, err := loadedScore("ModelCheckpoint", "best_k_models", models[path])
		if err != nil {
			return err
		}
		if score != nil {
			best = append(best, kept{path, *score})
		}
	}
	bestScore, err := loadedScore("ModelCheckpoint", "best_model_score", state["best_model_score"])
	if err != nil {
		return err
	}
	if c.lastScore, err = loadedScore("ModelCheckpoint", "current_score", state["current_score"]); err != nil {
		return err
	}
	kth, err := loadedScore("ModelCheckpoint", "kth_value", state["kth_value"])
	if err != nil {
		return err
	}
	c.best, c.bestPath, c.bestScore = best, bestPath, bestScore
	c.kthPath, _ = state["kth_best_model_path"].(string)
	c.lastPath, _ = state["last_model_path"].(string)
	if kth != nil {
		c.kthValue = *kth
	}
	c.savedStep, _ = state[savedStep].(int64)
	c.savedPath, _ = state[savedPath].(string)
	c.deferred, _ = state[deferred].(bool)
	c.validated, _ = state[validated].(bool)
	paths, _ := state[replaced].(lighter.List)
	c.replaced = nil
	for _, v := range paths {
		path, _ := v.(string)
		c.replaced = append(c.replaced, path)
	}
	return nil
}

// loadedOrder is the order of the best models, by name when the checkpoint does not tell.
func loadedOrder(state lighter.Dict, models lighter.Dict) []string {
	var order []string
	list, _ := state[keptOrder].(lighter.List)
	for _, v := range list {
		if path, ok := v.(string); ok && models[path] != nil {
			order = append(order, path)
		}
	}
	if len(order) != len(models) {
		return slices.Sorted(maps.Keys(models))
	}
	return order
}

// loadedScore reads a score of the state of a class of callback; nil when there is none.
func loadedScore(class, name string, v lighter.Value) (*float64, error) {
	var score float64
	switch x := v.(type) {
	case nil:
		return nil, nil
	case tensor.Tensor:
		if x.Numel() != 1 {
			return nil, fmt.Errorf("%s in the state of %s is a tensor of shape %v, not a number", name, class, x.Shape())
		}
		score = x.Item()
	case float64:
		score = x
	case int64:
		score = float64(x)
	default:
		return nil, fmt.Errorf("%s in the state of %s is a %s, not a number", name, class, lighter.TypeName(v))
	}
	return &score, nil
}
