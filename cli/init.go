package cli

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/engine"
	"github.com/lighter-go/lighter/internal/project"
)

// starter is the configuration of a new project, starterCode its code, starterMarker what makes its folder a project.
var (
	//go:embed starter.yaml
	starter []byte
	//go:embed starter.star
	starterCode []byte
	//go:embed starter_marker.star
	starterMarker []byte
)

func (p *program) initCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init [DIR]", Short: "Write a starter project",
		Long: `Write a configuration that runs as it stands, with comments, the code of its network and steps in model.star, and the
schema by which editors complete and check the configuration.
Files that are there already are never overwritten.`,
		Example: `  lighter init digits
  cd digits && lighter fit config.yaml`,
		SuggestFor: []string{"new", "create", "start"}, GroupID: otherGroup, DisableFlagsInUseLine: true,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			err := p.writeStarter(dir)
			if errors.Is(err, fs.ErrExist) {
				p.started = false
				return &usageError{cmd: cmd, err: err, hint: "nothing was written; give another folder: lighter init DIR"}
			}
			return err
		},
	}
}

// writeStarter writes the project's files, all or, when one is there, none.
func (p *program) writeStarter(dir string) error {
	schema, err := engine.Schema()
	if err != nil {
		return err
	}
	files := []struct {
		name string
		text []byte
	}{{"config.yaml", starter}, {"model.star", starterCode}, {project.Marker, starterMarker}, {schemaFile, schema}}
	for _, f := range files {
		if path := filepath.Join(dir, f.name); exists(path) {
			return fmt.Errorf("%s is there already: %w", path, fs.ErrExist)
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var names []string
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := writeNew(path, f.text); err != nil {
			return err
		}
		names = append(names, path)
	}
	next := "lighter fit config.yaml"
	if filepath.Clean(dir) != "." { // a project is found in the working folder
		next = fmt.Sprintf("cd %s && %s", dir, next)
	}
	_, err = fmt.Fprintf(p.stdout, "wrote %s\nnext: %s\n", strings.Join(names, ", "), next)
	return err
}

// exists says whether there is anything of a name.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// writeNew writes a file that is not there yet.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
