#!/usr/bin/perl
# The documentation as a test: every ```sql block of README.md and doc/*.md is run, and speaks TAP.
#
# The blocks of a page run in order in one session of a fresh database; the first error ends the page.  The extension is
# there, unless the page creates it itself.  An HTML comment <!-- setup: ... --> is run as well, where it stands, and
# shows the reader nothing.  Where a ``` or ```text block follows a ```sql block directly, it must be what psql prints,
# but for blanks at line ends. <!-- run by: test/NAME --> right before a ```sql block leaves it to that program, for
# what an ordinary server has not got: the program must be there and executable and speak of the page.  Nothing compares
# output there, so none may be shown. A page with <!-- needs: EXTENSION --> is skipped where that extension of
# PostgreSQL cannot be created: not installed, or no superuser. A page with <!-- needs file: test/data/NAME --> has NAME
# of this repository in its current directory. Needs psql and a server to which the environment (PGHOST, PGUSER, ...)
# leads, as a role that may create databases.
# check: once, for what the pages show is tried by the other tests, too
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);

my $top = dirname(dirname(abs_path(__FILE__)));
my $tmp = tempdir('retention_docs.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my ($tests, $failures) = (0, 0);

delete $ENV{PGOPTIONS};
$ENV{PGTZ} = 'UTC';
$ENV{PGCLIENTENCODING} = 'UTF8';
$ENV{PAGER} = 'cat';

sub result {
    my ($ok, $title, @diag) = @_;
    $tests++;
    $failures++ unless $ok;
    print $ok ? 'ok' : 'not ok', " $tests - $title\n";
    print map { "# $_\n" } split /\n/, join "\n", @diag unless $ok;
}

sub slurp {
    my ($name) = @_;
    open my $f, '<', $name or die "$name: $!\n";
    local $/;
    my $text = <$f>;
    return defined $text ? $text : '';
}

sub spew {
    my ($name, $text) = @_;
    open my $f, '>', $name or die "$name: $!\n";
    print $f $text;
    close $f or die "$name: $!\n";
}

# psql(DATABASE, ARGUMENT...): exit status, run in $tmp; output in the files out and err
sub psql {
    my ($database, @arguments) = @_;
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$tmp/out" or die;
        open STDERR, '>', "$tmp/err" or die;
        chdir $tmp or die "$tmp: $!\n";
        exec 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $database, @arguments or die "psql: $!\n";
    }
    waitpid $pid, 0;
    return $?;
}

# The blocks of a page: { line, sql, hidden, output, by }
sub blocks {
    my ($text) = @_;
    my (@blocks, $block, $fence, $into, $setup, $by);
    my ($n, $adjacent) = (0, 0);
    for my $line (split /\n/, $text) {
        $n++;
        if (defined $setup) {
            if ($line =~ /^(.*?)-->/) {
                push @blocks, { line => $n, hidden => 1, sql => "$setup$1\n" };
                undef $setup;
            } else {
                $setup .= "$line\n";
            }
        } elsif (defined $fence) {
            if ($line =~ /^\s*\Q$fence\E`*\s*$/) {
                undef $fence;
                push @blocks, $block if $into eq 'sql';
                $adjacent = $into eq 'sql';
                undef $into;
            } elsif ($into ne 'other') {
                $line =~ s/^\Q$block->{indent}\E//;
                $block->{$into} .= "$line\n";
            }
        } elsif ($line =~ /^(\s*)(```+)\s*(\S*)/) {
            my ($indent, $language) = ($1, lc $3);
            $fence = $2;
            die "no ```sql block after \"run by\" in line $n\n" if defined $by && $language ne 'sql';
            if ($language eq 'sql') {
                $block = { line => $n, sql => '', indent => $indent, by => $by };
                $into = 'sql';
                undef $by;
            } elsif ($adjacent && ($language eq '' || $language eq 'text')) {
                die "output that nothing compares in line $n\n" if defined $block->{by};
                $block->{output} = '';
                $into = 'output';
            } else {
                $into = 'other';
            }
            $adjacent = 0;
        } elsif ($line =~ /^\s*<!--\s*setup:(.*)$/) {
            my $rest = $1;
            die "no ```sql block after \"run by\" in line $n\n" if defined $by;
            $adjacent = 0;
            if ($rest =~ /^(.*?)-->/) {
                push @blocks, { line => $n, hidden => 1, sql => "$1\n" };
            } else {
                $setup = "$rest\n";
            }
        } elsif ($line =~ /^\s*<!--\s*fixture:\s*([\w.]+)\s*-->\s*$/) {
            die "no ```sql block after \"run by\" in line $n\n" if defined $by;
            die "no test/fixtures/$1, which line $n names\n" unless -r "$top/test/fixtures/$1";
            $adjacent = 0;
            (my $file = "$top/test/fixtures/$1") =~ s/'/''/g;
            push @blocks, { line => $n, hidden => 1, sql => "\\i '$file'\n" };
        } elsif ($line =~ /\S/) {
            die "no ```sql block after \"run by\" in line $n\n" if defined $by;
            $adjacent = 0;
            $by = $1 if $line =~ /^\s*<!--\s*run\s+by:\s*(test\/\S+)\s*-->\s*$/;
            die "unreadable \"run by\" in line $n\n" if !defined $by && $line =~ /<!--\s*run\s+by/;
        }
    }
    die "unclosed block in line $n\n" if defined $fence || defined $setup || defined $by;
    return @blocks;
}

sub normal {
    my ($text) = @_;
    $text =~ s/[ \t]+$//mg;
    $text =~ s/\A\n+//;
    $text =~ s/\n+\z//;
    return $text;
}

# Why an extension cannot be created here; empty if it can
sub missing {
    my ($extension) = @_;
    my $query = "SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = '$extension')
                        THEN '$extension is not installed'
                        WHEN current_setting('is_superuser') <> 'on' THEN '$extension needs a superuser' ELSE '' END";
    die "cannot ask for $extension: " . slurp("$tmp/err") if psql('template1', '-A', '-t', '-c', $query);
    return normal(slurp("$tmp/out"));
}

sub page {
    my ($page) = @_;
    my @blocks = blocks(slurp("$top/$page"));
    my $database = "retention_docs_$$";
    my $marker = '-- retention docs marker';

    if (slurp("$top/$page") =~ /^<!--\s*needs:\s*(\w+)\s*-->/m && (my $why = missing($1))) {
        print 'ok ', ++$tests, " - $page # SKIP $why\n";
        return 0;
    }
    spew("$tmp/" . basename($_), slurp("$top/$_"))
        for slurp("$top/$page") =~ /^<!--\s*needs\s+file:\s*(test\/data\/\S+)\s*-->/mg;
    die 'cannot create a database: ' . slurp("$tmp/err") if psql('template1', '-c', "CREATE DATABASE $database");
    my $script = '';
    $script .= "CREATE EXTENSION retention;\n"
        unless grep { $_->{sql} =~ /CREATE\s+EXTENSION\s+(IF\s+NOT\s+EXISTS\s+)?retention/i } @blocks;
    $script .= "\\echo '$marker'\n" . ($_->{by} ? '' : "$_->{sql}\n") for @blocks;
    $script .= "\\echo '$marker'\n";
    spew("$tmp/script.sql", $script);
    my $status = psql($database, '-f', "$tmp/script.sql");
    my ($before, @out) = split /^\Q$marker\E\n/m, slurp("$tmp/out"), -1;
    my $err = slurp("$tmp/err");
    $err =~ s/^psql:\Q$tmp\E\/script\.sql:\d+: //mg;
    psql('template1', '-c', "DROP DATABASE IF EXISTS $database");

    for my $i (0 .. $#blocks) {
        my $block = $blocks[$i];
        my $title = "$page, line $block->{line}" . ($block->{hidden} ? ' (setup)' : '');
        # What follows the last marker that was reached is the block in which psql stopped.
        if ($block->{by}) {
            result(-x $block->{by} && slurp($block->{by}) =~ /\Q$page\E\b/,
                "$title, left to $block->{by}", 'which is not there or does not speak of this page');
        } elsif ($i >= $#out) {
            result(0, $title, $i == $#out || !@out ? $err : 'not reached');
        } elsif (defined $block->{output} && normal($out[$i]) ne normal($block->{output})) {
            result(0, $title, 'printed:', normal($out[$i]), 'documented:', normal($block->{output}));
        } else {
            result(1, $title . (defined $block->{output} ? ', with its output' : ''));
        }
    }
    result(0, "$page: psql", $err) if $status && @out > @blocks;
    return scalar grep { !$_->{hidden} } @blocks;
}

my $documented = 0;
chdir $top or die "$top: $!\n";
# refreshing.md waits until the transactions of other sessions have ended: at first, other tests have opened no long
# ones yet.
my @pages = sort { ($b =~ /refreshing/) <=> ($a =~ /refreshing/) || $a cmp $b }
    grep { -e $_ } 'README.md', glob 'doc/*.md';
$documented += page($_) for @pages;
result($documented > 0, 'there are SQL examples');
print "1..$tests\n";
exit($failures ? 1 : 0);
