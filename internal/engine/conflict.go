package engine

import (
	"github.com/lighter-go/lighter"
)

// checkCallbacks applies Lightning's rules on which callbacks go together and with the switches for the default ones.
func (a arguments) checkCallbacks() error {
	if has[lighter.Checkpointer](a.Callbacks) && !enabled(a.EnableCheckpointing) {
		return lighter.FieldError("enable_checkpointing", "Trainer was configured with `enable_checkpointing=False` but found `ModelCheckpoint` in callbacks list. Leave one of the two out")
	}
	if has[lighter.Reporter](a.Callbacks) && !a.Report {
		return lighter.FieldError("report", "Trainer was configured with `report=False` but found `Report` in callbacks list. Leave one of the two out")
	}
	bars := 0
	for _, c := range a.Callbacks {
		if _, ok := c.(lighter.Progress); ok {
			bars++
		}
	}
	switch {
	case bars > 1:
		return lighter.FieldError("callbacks", "You added multiple progress bar callbacks to the Trainer, but currently only one progress bar is supported.")
	case bars == 1 && !enabled(a.EnableProgressBar):
		return lighter.FieldError("enable_progress_bar", "Trainer was configured with `enable_progress_bar=False` but found a progress bar in callbacks list. Leave one of the two out")
	}
	keys := map[string]bool{}
	for _, c := range a.Callbacks {
		s, ok := c.(lighter.Stateful)
		if !ok {
			continue
		}
		key := s.StateKey()
		if keys[key] {
			return lighter.FieldError("callbacks", "found more than one callback with the state %q: a checkpoint can hold one of them. Give them different monitors or intervals", key)
		}
		keys[key] = true
	}
	return nil
}
