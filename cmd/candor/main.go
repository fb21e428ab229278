// Command candor proves what a local government's social-media accounts and
// web pages looked like, and answers records requests from that archive.
//
// This package joins the rooms and reads the settings; it holds no rules.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // the agency's zone must be known on machines without zone files, too

	"github.com/alecthomas/kong"

	"github.com/candor-archive/candor"
)

// version is set when building: -ldflags "-X main.version=…".
var version = "dev"

// CLI is every command of the program.
type CLI struct {
	Serve    ServeCmd    `cmd:"" help:"Run everything in one process: portal, crawler, capture workers."`
	Worker   WorkerCmd   `cmd:"" help:"Run capture and crawl workers only, beside a portal on a shared database and bucket."`
	Capture  CaptureCmd  `cmd:"" help:"Capture web pages into a folder, without an archive."`
	Source   SourceCmd   `cmd:"" help:"The accounts and sites that are captured."`
	User     UserCmd     `cmd:"" help:"The people who work here."`
	Verify   VerifyCmd   `cmd:"" help:"Check the whole archive; exit 0 when sound, 1 naming what is not."`
	Schedule ScheduleCmd `cmd:"" help:"Print how often what is looked at, to be copied and changed."`
	Health   HealthCmd   `cmd:"" help:"Ask a running portal whether it is ready; exit 0 when it is."`
	Version  VersionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: arguments in, exit code out.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := start(ctx, args, stdout, stderr)
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.msg != "" {
			fmt.Fprintln(stderr, "candor: "+oneLine(exit.msg))
		}
		return exit.code
	case candor.IsKind(err, candor.Invalid), candor.IsKind(err, candor.NotFound), candor.IsKind(err, candor.Conflict):
		fmt.Fprintln(stderr, "candor: "+oneLine(err.Error()))
		return 2
	}
	fmt.Fprintln(stderr, "candor: "+oneLine(err.Error()))
	return 1
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// helped is panicked through kong's exit hook so that --help ends parsing
// without ending the process that a test runs us in.
type helped int

func start(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	if err := secretsFromFiles(os.Environ(), os.Setenv); err != nil {
		return err
	}
	var cli CLI
	parser, err := kong.New(&cli,
		kong.Name("candor"),
		kong.Description("Prove what your agency's pages looked like, and answer records requests from the archive.\n\n"+
			"Start here:  candor serve --sample   (a pretend city, to look around)\n"+
			"             candor serve            (your own; opens a one-time set-up page)\n\n"+
			"Every setting can also come from the environment, as CANDOR_…, or from a file named by CANDOR_…_FILE."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(helped(code)) }),
		kong.DefaultEnvars("CANDOR"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(streams{stdout, stderr}),
	)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			code, ok := p.(helped)
			if !ok {
				panic(p)
			}
			if code != 0 {
				err = &exitError{code: int(code)}
			}
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return usage(err.Error() + "; `candor --help` lists what there is")
	}
	return parsed.Run()
}

// streams is where a command writes.
type streams struct{ out, err io.Writer }
