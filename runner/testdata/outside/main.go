// A program of another module that trains and tests a model with lighter: TestOutsideModule builds and runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lighter-go/lighter/runner"
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Println(err)
		os.Exit(runner.ExitCode(err))
	}
}

func run(ctx context.Context, config, dir string) error {
	short := map[string]any{"trainer": map[string]any{"max_epochs": 2, "default_root_dir": dir}}
	fit, err := runner.Run(ctx, "fit", config, short, "trainer::limit_train_batches=20", runner.Options{Err: os.Stderr})
	if err != nil {
		return err
	}
	if fit.BestPath == "" || filepath.Dir(filepath.Dir(fit.BestPath)) != fit.LogDir {
		return fmt.Errorf("the best checkpoint is %q, the run's folder %q", fit.BestPath, fit.LogDir)
	}
	loss, ok := fit.Metrics[0]["train/loss/epoch"]
	fmt.Println("fit", loss > 0 && ok)

	test, err := runner.Run(ctx, "test", config, short, runner.Options{CkptPath: fit.BestPath, Verbose: true, Out: os.Stdout})
	if err != nil {
		return err
	}
	fmt.Println("test", test.CkptPath == fit.BestPath, test.Metrics[0]["test/metrics/MulticlassAccuracy/epoch"] > 0.5)

	_, err = runner.Run(ctx, "fit", config, map[string]any{"model": map[string]any{"optimizer": map[string]any{"learning_rate": 1.0}}})
	var problems *runner.ConfigError
	fmt.Println("mistake", errors.As(err, &problems), runner.ExitCode(err) == runner.ExitUsage, err)
	return nil
}
