package engine

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/torchfile"
)

// A run belongs to a configuration when what decides its numbers is the same. These may differ: how long it goes on, where it
// writes, what it shows, what watches it, and how its data is loaded.
var (
	freeSections = []string{"args", "_imports_"}
	freeTrainer  = strings.Fields(`logger callbacks profiler max_epochs min_epochs max_steps min_steps max_time default_root_dir
		limit_test_batches limit_predict_batches log_every_n_steps num_sanity_val_steps fast_dev_run enable_checkpointing
		enable_progress_bar enable_model_summary accelerator devices strategy num_nodes benchmark detect_anomaly inference_mode
		suggest_integrations enable_autolog_hparams use_distributed_sampler sync_batchnorm barebones report`)
	freeData   = []string{"test_dataloader", "predict_dataloader"}
	freeLoader = []string{"num_workers", "pin_memory", "pin_memory_device", "persistent_workers", "prefetch_factor", "timeout"}
)

// difference says where two configurations, as checkpoints hold them, differ in what decides a run; "" when they do not.
func difference(now, then any) string { return differ(nil, now, then) }

func differ(path []string, now, then any) string {
	where := strings.Join(path, config.Sep)
	a, isDict := now.(*torchfile.Dict)
	b, wasDict := then.(*torchfile.Dict)
	if isDict && wasDict {
		for k, v := range a.All() {
			key := append(path[:len(path):len(path)], fmt.Sprint(k))
			old, ok := b.Get(k)
			if free(key) {
				continue
			}
			if !ok {
				return strings.Join(key, config.Sep) + " was not set"
			}
			if d := differ(key, v, old); d != "" {
				return d
			}
		}
		for k := range b.All() {
			key := append(path[:len(path):len(path)], fmt.Sprint(k))
			if _, ok := a.Get(k); !ok && !free(key) {
				return strings.Join(key, config.Sep) + " was set"
			}
		}
		return ""
	}
	x, isList := now.([]any)
	y, wasList := then.([]any)
	if isList && wasList {
		if len(x) != len(y) {
			return fmt.Sprintf("%s has %d items, not %d", where, len(x), len(y))
		}
		for i := range x {
			if d := differ(append(path[:len(path):len(path)], fmt.Sprint(i)), x[i], y[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if isDict || wasDict || isList || wasList {
		return where + " was something else"
	}
	f, isFloat := now.(float64)
	g, wasFloat := then.(float64)
	if now == then || isFloat && wasFloat && math.IsNaN(f) && math.IsNaN(g) {
		return ""
	}
	return fmt.Sprintf("%s was %v", where, then)
}

func free(path []string) bool {
	last := path[len(path)-1]
	switch {
	case len(path) == 1:
		return slices.Contains(freeSections, last)
	case path[0] == "trainer" && len(path) == 2:
		return slices.Contains(freeTrainer, last)
	case path[0] == systemSection:
		ofLoaders := len(path) > 2 && path[1] == "dataloaders"
		return len(path) == 3 && (path[2] == "test" || path[2] == "predict") || ofLoaders && slices.Contains(freeLoader, last)
	case path[0] == "data":
		return len(path) == 2 && slices.Contains(freeData, last) || slices.Contains(freeLoader, last)
	}
	return false
}
