package main

import (
	"bufio"
	"context"
	"fmt"
	"net/mail"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/auth"
)

// UserCmd holds the commands on staff accounts.
type UserCmd struct {
	Add     UserAddCmd     `cmd:"" help:"Add a member of staff."`
	List    UserListCmd    `cmd:"" help:"List them."`
	Disable UserDisableCmd `cmd:"" help:"End someone's access at once; --enable gives it back."`
}

const passwordRules = "it needs at least 12 characters and must not be the email address"

// UserAddCmd adds a member of staff.
type UserAddCmd struct {
	StoreSettings
	Email        string   `arg:"" help:"Their email address, which they sign in with."`
	Name         string   `help:"Their name." required:""`
	Role         []string `help:"clerk, officer, approver, comms, operator, auditor or admin; several with commas." default:"clerk" enum:"clerk,officer,approver,comms,operator,auditor,admin"`
	Language     string   `help:"Language of their pages." enum:"en,es" default:"en"`
	PasswordFile string   `help:"File holding the first password; asked for on a terminal when left out." type:"existingfile" placeholder:"FILE" env:"-"`
}

// Run adds the user.
func (c UserAddCmd) Run(ctx context.Context, s streams) error {
	if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email {
		return usage(fmt.Sprintf("%q is not an email address", c.Email))
	}
	email := strings.ToLower(c.Email)
	password, err := c.password(s)
	if err != nil {
		return err
	}
	if err := auth.CheckPassword(password, email); err != nil {
		return usage("that password will not do: " + passwordRules)
	}
	roles := make([]candor.Role, len(c.Role))
	for i, r := range c.Role {
		roles[i] = candor.Role(r)
	}
	store, err := c.open(ctx, c.logger(s.err), true)
	if err != nil {
		return err
	}
	defer store.Close()
	u := candor.User{ID: candor.NewID(), Email: email, Name: c.Name, Roles: roles, PasswordHash: auth.HashPassword(password),
		Language: c.Language, CreatedAt: candor.Moment(time.Now())}
	if err := store.CreateUser(ctx, u, whoAmI()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "added %s (%s)\n", u.Email, u.ID)
	return err
}

// password comes from the file, or is asked for twice on a terminal.
func (c UserAddCmd) password(s streams) (string, error) {
	if c.PasswordFile != "" {
		b, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return "", usage("cannot read the password: " + err.Error())
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil && line == "" {
			return "", usage("no password was given; use a terminal, --password-file, or standard input")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, ask := range []string{"Password: ", "Again: "} {
		fmt.Fprint(s.err, ask)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(s.err)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", usage("the two passwords differ; nothing was added")
	}
	return typed[0], nil
}

// UserListCmd lists staff.
type UserListCmd struct{ StoreSettings }

// Run prints one line a person.
func (c UserListCmd) Run(ctx context.Context, s streams) error {
	store, err := c.open(ctx, c.logger(s.err), true)
	if err != nil {
		return err
	}
	defer store.Close()
	users, err := store.Users(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "EMAIL\tNAME\tROLES\tLAST SIGN-IN\tSTATE")
	for _, u := range users {
		last, state := "never", "active"
		if !u.LastSignIn.IsZero() {
			last = u.LastSignIn.Format("2006-01-02 15:04 UTC")
		}
		if u.Disabled {
			state = "disabled"
		}
		roles := make([]string, len(u.Roles))
		for i, r := range u.Roles {
			roles[i] = string(r)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", u.Email, u.Name, strings.Join(roles, ","), last, state)
	}
	return w.Flush()
}

// UserDisableCmd disables a member of staff.
type UserDisableCmd struct {
	StoreSettings
	Email  string `arg:"" help:"Their email address."`
	Enable bool   `help:"Give access back."`
}

// Run disables the user and ends their sessions.
func (c UserDisableCmd) Run(ctx context.Context, s streams) error {
	store, err := c.open(ctx, c.logger(s.err), true)
	if err != nil {
		return err
	}
	defer store.Close()
	u, err := store.UserByEmail(ctx, strings.ToLower(c.Email))
	if err != nil {
		return err
	}
	if err := store.SetUserDisabled(ctx, u.ID, !c.Enable, whoAmI()); err != nil {
		return err
	}
	word := "disabled"
	if c.Enable {
		word = "enabled"
	}
	_, err = fmt.Fprintln(s.out, word, u.Email)
	return err
}
