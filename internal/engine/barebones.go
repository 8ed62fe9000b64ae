package engine

import (
	"github.com/lighter-go/lighter"
)

// bare refuses what cannot be combined with barebones, in Lightning's words.
func (a arguments) bare() error {
	if !a.Barebones {
		return nil
	}
	on := func(b *bool) bool { return b != nil && *b }
	number := func(n *int) bool { return n != nil && *n != 0 }
	for _, f := range []struct {
		name  string
		given bool
		why   string
	}{
		{"enable_checkpointing", on(a.EnableCheckpointing), "Checkpointing can impact raw speed so it is disabled in barebones mode."},
		{"logger", a.Logger.on, "Logging can impact raw speed so it is disabled in barebones mode."},
		{"enable_progress_bar", on(a.EnableProgressBar), "The progress bar can impact raw speed so it is disabled in barebones mode."},
		{"log_every_n_steps", number(a.LogEveryNSteps), "Logging can impact raw speed so it is disabled in barebones mode."},
		{"enable_model_summary", on(a.EnableModelSummary), "Model summary can impact raw speed so it is disabled in barebones mode."},
		{"num_sanity_val_steps", number(a.NumSanityValSteps), "Sanity checking can impact raw speed so it is disabled in barebones mode."},
		{"fast_dev_run", a.FastDevRun > 0, "Development run is not meant for raw speed evaluation so it is disabled in barebones mode."},
		{"detect_anomaly", a.DetectAnomaly, "Anomaly detection can impact raw speed so it is disabled in barebones mode."},
		{"profiler", a.Profiler.name != "" || a.Profiler.given != nil, "Profiling can impact raw speed so it is disabled in barebones mode."},
	} {
		if f.given {
			return lighter.FieldError(f.name, "cannot be combined with barebones: true. %s", f.why)
		}
	}
	return nil
}

// barebones turns off all that may cost time: what is left is the loop. Nothing is logged, so no metric can be monitored.
func (t *Trainer) barebones() {
	t.log.Info().Msg("You are running in `Trainer(barebones=True)` mode. All features that may impact raw speed have been disabled to facilitate analyzing the Trainer overhead: checkpointing, the progress bar, the model summary, logging, sanity checking, development run, anomaly detection, profiling")
	no, zero := false, 0
	a := &t.args
	a.EnableCheckpointing, a.EnableProgressBar, a.EnableModelSummary = &no, &no, &no
	a.LogEveryNSteps, a.NumSanityValSteps = &zero, &zero
	a.Logger.off = true
}
