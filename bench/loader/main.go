// Command loader reads epochs of the training data of a configuration, and does nothing with them: loader CONFIG.yaml EPOCHS
// [KEY=VALUE ...].
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	_ "github.com/lighter-go/lighter/runner" // its components
	"github.com/lighter-go/lighter/tensor"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: loader CONFIG.yaml EPOCHS [KEY=VALUE ...]")
		os.Exit(2)
	}
	epochs, err := strconv.Atoi(os.Args[2])
	if err == nil {
		inputs := []any{os.Args[1]}
		for _, o := range os.Args[3:] {
			inputs = append(inputs, o)
		}
		err = run(epochs, inputs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "loader:", err)
		os.Exit(1)
	}
}

func run(epochs int, inputs []any) (err error) {
	tensor.KeepMemory()
	s := tensor.Open()
	defer s.Close()
	defer tensor.Recover(&err)
	c, problems := config.Compose(inputs...)
	if problems.HasErrors() {
		return problems
	}
	b := registry.NewBuild(c, registry.Env{Stage: "fit", Log: zerolog.Nop()})
	defer b.Close()
	d, err := registry.Get[lighter.DataModule](b, "data")
	if err != nil {
		return err
	}
	l := d.Loaders(lighter.Train)[0]
	for e := range epochs {
		if err := epoch(l, e+1 == epochs); err != nil {
			return err
		}
	}
	return nil
}

func epoch(l lighter.Loader, last bool) error {
	it, err := l.Iter(0)
	if err != nil {
		return err
	}
	defer it.Close()
	f, foresees := l.(lighter.Foreseer)
	if foresees && !last {
		f.Foresee(false)
	}
	for more := true; more; {
		s := tensor.Open()
		_, more, err = it.Next()
		s.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
