package cli

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/engine"
)

// starter is the configuration of a new project.
//
//go:embed starter.yaml
var starter []byte

func (p *program) initCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init [DIR]", Short: "Write a starter project",
		Long: `Write a configuration that runs as it stands, with comments, and the schema by which editors complete and check it.
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
		path string
		text []byte
	}{{filepath.Join(dir, "config.yaml"), starter}, {filepath.Join(dir, schemaFile), schema}}
	for _, f := range files {
		if _, err := os.Lstat(f.path); err == nil {
			return fmt.Errorf("%s is there already: %w", f.path, fs.ErrExist)
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeNew(f.path, f.text); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(p.stdout, "wrote %s and %s\nnext: lighter fit %[1]s\n", files[0].path, files[1].path)
	return err
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
