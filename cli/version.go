package cli

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/release"
	"github.com/lighter-go/lighter/tensor"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the versions of lighter, gotch and libtorch", GroupID: otherGroup, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.printVersion() },
	}
}

func (p *program) printVersion() error {
	own, gotch := release.Versions()
	m := readMachine(p.root)
	_, err := fmt.Fprintf(p.stdout, "lighter  %s (%s %s/%s)\ngotch    %s\nlibtorch %s\nCUDA     %s\nthreads  %d\n",
		own, runtime.Version(), runtime.GOOS, runtime.GOARCH, gotch, tensor.Version(), m.cudaSummary(), tensor.Threads())
	if err != nil {
		return err
	}
	return p.printModules()
}

// printModules says which modules beyond lighter's own the components are from.
func (p *program) printModules() error {
	count := map[string]int{}
	for _, e := range registry.All() {
		if !e.Own() {
			count[cmp.Or(registry.Module(e.Package()), e.Package())]++
		}
	}
	for _, module := range slices.Sorted(maps.Keys(count)) {
		if _, err := fmt.Fprintf(p.stdout, "with     %s: %s\n", module, counted(count[module], "component")); err != nil {
			return err
		}
	}
	return nil
}

// counted is a number of things in words: "1 component".
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
