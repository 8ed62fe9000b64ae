// Package callback holds what acts at the points of a run: checkpoints, the progress bar, the summary of the model, the
// writers of predictions and the loggers.
package callback

// aliases are the other paths of a class of Lightning: from the module it is defined in, and from the package lightning.
func aliases(kind, module, class string) []string {
	return []string{
		"pytorch_lightning." + kind + "." + module + "." + class,
		"lightning.pytorch." + kind + "." + class,
		"lightning.pytorch." + kind + "." + module + "." + class,
	}
}
