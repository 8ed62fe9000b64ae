package custom

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// goError is what the go command wrote when it failed.
type goError struct {
	said string
	err  error
}

func (e *goError) Error() string { return e.said }
func (e *goError) Unwrap() error { return e.err }

// goOutput runs the go command, in the user's folder, and gives what it prints.
func goOutput(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if said := strings.TrimSpace(stderr.String()); said != "" {
			return stdout.String(), &goError{said, err}
		}
		return stdout.String(), err
	}
	return stdout.String(), nil
}

// goCommand runs the go command in the workspace. A version of lighter that a module asks for is taken to be this one, whether or
// not it is published.
func (b *build) goCommand(args ...string) (string, error) {
	for {
		out, err := goOutput(b.ctx, append(b.env, "GOWORK="+b.space.file), args...)
		var failed *goError
		if !errors.As(err, &failed) {
			return out, err
		}
		asked := askedVersion.FindStringSubmatch(failed.said)
		if asked == nil || slices.Contains(b.space.replaced, asked[1]) {
			failed.said = b.readable(failed.said)
			return out, failed
		}
		if err := b.space.replace(asked[1]); err != nil {
			return "", err
		}
	}
}

var (
	askedVersion = regexp.MustCompile(regexp.QuoteMeta(modulePath) + `@(v[^\s:@]+): `)
	mainPosition = regexp.MustCompile(`^\S*main\.go:\d+(:\d+)?: `)
)

// readable is what the go command says, without the places of this build: lines about the main that nobody wrote, and the names of
// folders in the cache.
func (b *build) readable(said string) string {
	var lines []string
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "go: downloading ") || line == "# "+mainModule {
			continue
		}
		if at := mainPosition.FindString(line); at != "" && b.isMain(at) {
			line = line[len(at):]
		}
		for _, dir := range []string{b.source.dir, b.dir} {
			line = strings.ReplaceAll(line, dir+string(filepath.Separator), "")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// isMain says whether a position is one in the generated main, whose path the go command may have made relative.
func (b *build) isMain(position string) bool {
	path, _, _ := strings.Cut(position, ":")
	abs, err := filepath.Abs(path)
	return err == nil && abs == filepath.Join(b.space.main, "main.go")
}
