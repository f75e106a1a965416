# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_connctl_global_optspecs
    string join \n agent= context= token-file= ca-file= cert-file= key-file= timeout= o/output= no-headers q/quiet color= h/help V/version
end

function __fish_connctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_connctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_connctl_using_subcommand
    set -l cmd (__fish_connctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c connctl -n "__fish_connctl_needs_command" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_needs_command" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_needs_command" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_needs_command" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_needs_command" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_needs_command" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_needs_command" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_needs_command" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_needs_command" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_needs_command" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_needs_command" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_needs_command" -s V -l version -d 'Print version'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "list" -d 'List connections'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "show" -d 'Show one connection in depth'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "remove" -d 'Close connections (or reset, or half-close them)'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "reset" -d 'Discard what is pending and send RST'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "halfclose" -d 'Flush, send FIN one way, and keep reading until the peer closes'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "pause" -d 'Stop reading'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "resume" -d 'Read again'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "apply" -d 'Act on exactly the connections of a plan that --dry-run has shown'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "job" -d 'See and steer what the agent does at a pace'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "revoke" -d 'Close a user\'s or a network\'s connections and refuse new ones'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "listener" -d 'See and change who gets in'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "limit" -d 'See and change how long connections last, and how many there may be'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "node" -d 'See the agent as a whole, empty it before maintenance, fill it again'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "stats" -d 'Count endings by reason, or connections by a field'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "top" -d 'See what passes through connections now, the most first'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "history" -d 'List connections that have ended, the latest first'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "why" -d 'Say why a connection ended, or that it has not'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "events" -d 'Print what happened of late, or what happens from now on'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "audit" -d 'See what was asked that changes something, by whom, and check that the record of it is whole'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "assign" -d 'Say whose a connection is'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "wait" -d 'Wait until so many connections are there'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "agent" -d 'Run an agent, or ask how one is'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "context" -d 'Name agents, and choose the one to talk to'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "completion" -d 'Print the completion script of a shell'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "man" -d 'Print the manual page, of a verb if one is named'
complete -c connctl -n "__fish_connctl_needs_command" -f -a "demo" -d 'See it all work on real sockets, with no other software'
complete -c connctl -n "__fish_connctl_using_subcommand list" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l sort -d 'Sort by this field, - before it for descending [default: conn_id]' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l limit -d 'At most so many' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l columns -d 'Only these columns, in this order' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l by -d 'With --count: how many of each value of this field' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand list" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand list" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand list" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand list" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand list" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand list" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand list" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand list" -l count -d 'Only how many'
complete -c connctl -n "__fish_connctl_using_subcommand list" -s w -l watch -d 'Look again each second, until interrupted; in a pipe, print what has changed as lines'
complete -c connctl -n "__fish_connctl_using_subcommand list" -l fields -d 'Print the fields that --where, --sort, --by and --columns know, and leave'
complete -c connctl -n "__fish_connctl_using_subcommand list" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand list" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand show" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand show" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand show" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand show" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand show" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand show" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand show" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand show" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand show" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand show" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand show" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l side -d 'On which socket: client, upstream or both [default: both, halfclose: client]' -r -f -a "client\t''
upstream\t''
both\t''"
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l max -d 'Refuse more connections than this; a large set that an expression picks out needs it' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l max-percent -d 'Refuse more than this share of the node\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l grace -d 'How long a close may flush before it is forced [default: 1s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l note -d 'Why, for the log' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l sample -d 'Only this share of the set, drawn at random' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l rate -d 'So many connections a second, evenly: 50/s, 3000/m' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l jitter -d 'How far each may be from its even place, as a share of the time between two' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l ramp -d 'Let the rate rise from nothing within this time' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l until-reconnect-rate -d 'Slow down while more clients than this connect: 20/s' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l pause-if -d 'Pause when more than this share fails: 5%, or \'failed > 5%\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l type -d 'How: flush and FIN, RST, or FIN one way' -r -f -a "close\t''
reset\t''
halfclose\t''"
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l batch -d 'Connections from a file, or - for stdin: CSV with a header, JSON lines, or `uid conn_id [node_id]`' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand remove" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand remove" -s y -l yes -d 'Do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l dry-run -d 'Show the set, and keep it as a plan for `apply`'
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l idle-first -d 'Those that have been idle the longest first'
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l detach -d 'Leave it to the agent, as a job, and do not wait'
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l skip-bad -d 'Leave out the lines of the batch that cannot be read'
complete -c connctl -n "__fish_connctl_using_subcommand remove" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand remove" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l side -d 'On which socket: client, upstream or both [default: both, halfclose: client]' -r -f -a "client\t''
upstream\t''
both\t''"
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l max -d 'Refuse more connections than this; a large set that an expression picks out needs it' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l max-percent -d 'Refuse more than this share of the node\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l grace -d 'How long a close may flush before it is forced [default: 1s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l note -d 'Why, for the log' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l sample -d 'Only this share of the set, drawn at random' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l rate -d 'So many connections a second, evenly: 50/s, 3000/m' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l jitter -d 'How far each may be from its even place, as a share of the time between two' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l ramp -d 'Let the rate rise from nothing within this time' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l until-reconnect-rate -d 'Slow down while more clients than this connect: 20/s' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l pause-if -d 'Pause when more than this share fails: 5%, or \'failed > 5%\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand reset" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand reset" -s y -l yes -d 'Do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l dry-run -d 'Show the set, and keep it as a plan for `apply`'
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l idle-first -d 'Those that have been idle the longest first'
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l detach -d 'Leave it to the agent, as a job, and do not wait'
complete -c connctl -n "__fish_connctl_using_subcommand reset" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand reset" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand reset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l side -d 'On which socket: client, upstream or both [default: both, halfclose: client]' -r -f -a "client\t''
upstream\t''
both\t''"
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l max -d 'Refuse more connections than this; a large set that an expression picks out needs it' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l max-percent -d 'Refuse more than this share of the node\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l grace -d 'How long a close may flush before it is forced [default: 1s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l note -d 'Why, for the log' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l sample -d 'Only this share of the set, drawn at random' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l rate -d 'So many connections a second, evenly: 50/s, 3000/m' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l jitter -d 'How far each may be from its even place, as a share of the time between two' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l ramp -d 'Let the rate rise from nothing within this time' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l until-reconnect-rate -d 'Slow down while more clients than this connect: 20/s' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l pause-if -d 'Pause when more than this share fails: 5%, or \'failed > 5%\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -s y -l yes -d 'Do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l dry-run -d 'Show the set, and keep it as a plan for `apply`'
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l idle-first -d 'Those that have been idle the longest first'
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l detach -d 'Leave it to the agent, as a job, and do not wait'
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand halfclose" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l side -d 'On which socket: client, upstream or both [default: both, halfclose: client]' -r -f -a "client\t''
upstream\t''
both\t''"
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l max -d 'Refuse more connections than this; a large set that an expression picks out needs it' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l max-percent -d 'Refuse more than this share of the node\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l grace -d 'How long a close may flush before it is forced [default: 1s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l note -d 'Why, for the log' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l sample -d 'Only this share of the set, drawn at random' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l rate -d 'So many connections a second, evenly: 50/s, 3000/m' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l jitter -d 'How far each may be from its even place, as a share of the time between two' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l ramp -d 'Let the rate rise from nothing within this time' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l until-reconnect-rate -d 'Slow down while more clients than this connect: 20/s' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l pause-if -d 'Pause when more than this share fails: 5%, or \'failed > 5%\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand pause" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand pause" -s y -l yes -d 'Do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l dry-run -d 'Show the set, and keep it as a plan for `apply`'
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l idle-first -d 'Those that have been idle the longest first'
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l detach -d 'Leave it to the agent, as a job, and do not wait'
complete -c connctl -n "__fish_connctl_using_subcommand pause" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand pause" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l side -d 'On which socket: client, upstream or both [default: both, halfclose: client]' -r -f -a "client\t''
upstream\t''
both\t''"
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l max -d 'Refuse more connections than this; a large set that an expression picks out needs it' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l max-percent -d 'Refuse more than this share of the node\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l grace -d 'How long a close may flush before it is forced [default: 1s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l note -d 'Why, for the log' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l sample -d 'Only this share of the set, drawn at random' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l rate -d 'So many connections a second, evenly: 50/s, 3000/m' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l jitter -d 'How far each may be from its even place, as a share of the time between two' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l ramp -d 'Let the rate rise from nothing within this time' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l until-reconnect-rate -d 'Slow down while more clients than this connect: 20/s' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l pause-if -d 'Pause when more than this share fails: 5%, or \'failed > 5%\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand resume" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand resume" -s y -l yes -d 'Do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l dry-run -d 'Show the set, and keep it as a plan for `apply`'
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l idle-first -d 'Those that have been idle the longest first'
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l detach -d 'Leave it to the agent, as a job, and do not wait'
complete -c connctl -n "__fish_connctl_using_subcommand resume" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand resume" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l max -d 'Refuse a plan of more connections than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l max-percent -d 'Refuse a plan of more than this share of the node\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l rate -d 'So many connections a second, evenly: 50/s, 3000/m' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l jitter -d 'How far each may be from its even place, as a share of the time between two' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l ramp -d 'Let the rate rise from nothing within this time' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l until-reconnect-rate -d 'Slow down while more clients than this connect: 20/s' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l pause-if -d 'Pause when more than this share fails: 5%, or \'failed > 5%\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand apply" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand apply" -s y -l yes -d 'Do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l detach -d 'Leave it to the agent, as a job, and do not wait'
complete -c connctl -n "__fish_connctl_using_subcommand apply" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand apply" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -f -a "list" -d 'List jobs, the ended ones of the last day too'
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -f -a "show" -d 'Show one job'
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -f -a "pause" -d 'Begin nothing more until it is resumed'
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -f -a "resume" -d 'Let a paused job go on'
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -f -a "cancel" -d 'End it early: what it has not begun stays as it is'
complete -c connctl -n "__fish_connctl_using_subcommand job; and not __fish_seen_subcommand_from list show pause resume cancel wait" -f -a "wait" -d 'Wait until it has ended, at most for --timeout'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from cancel" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l items -d 'Print what becomes of each connection'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand job; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l uid -d 'The user' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l ip -d 'The address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l for -d 'For how long [default: until it is lifted]' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l type -d 'How the live ones end: flush and FIN, or RST' -r -f -a "close\t''
reset\t''"
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l max-percent -d 'Refuse more than this share of the node\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l grace -d 'How long a close may flush before it is forced [default: 1s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l note -d 'Why, for the log' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l max -d 'Refuse to close more connections than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -s y -l yes -d 'Do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l dry-run -d 'List who would be closed; nothing is revoked'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -f -a "list" -d 'List the revocations in force'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and not __fish_seen_subcommand_from list lift" -f -a "lift" -d 'End a revocation: its user or address may come again'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand revoke; and __fish_seen_subcommand_from lift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -f -a "list" -d 'List listeners'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -f -a "show" -d 'Show one listener'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -f -a "reject" -d 'Turn new connections away'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -f -a "accept" -d 'Take new connections again'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and not __fish_seen_subcommand_from list show reject accept drain" -f -a "drain" -d 'Turn new connections away; the live ones come to their end, or are closed at a pace'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l after -d 'Accept so many more first, counted over all that are named' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l mode -d 'The dial fails, succeeds and is reset, or hangs [default: refuse]' -r -f -a "refuse\t''
reset\t''
stall\t''"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from reject" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from accept" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l mode -d 'The dial fails, succeeds and is reset, or hangs [default: refuse]' -r -f -a "refuse\t''
reset\t''
stall\t''"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l max -d 'Refuse to close more connections than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l max-percent -d 'Refuse to close more than this share of the node\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l grace -d 'How long a close may flush before it is forced [default: 1s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l note -d 'Why, for the log' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l rate -d 'So many connections a second, evenly: 50/s, 3000/m' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l jitter -d 'How far each may be from its even place, as a share of the time between two' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l ramp -d 'Let the rate rise from nothing within this time' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l until-reconnect-rate -d 'Slow down while more clients than this connect: 20/s' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l pause-if -d 'Pause when more than this share fails: 5%, or \'failed > 5%\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -s y -l yes -d 'Do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l dry-run -d 'Show who would be closed, and keep them as a plan for `apply`; no listener is touched'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l idle-first -d 'Those that have been idle the longest first'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l detach -d 'Leave it to the agent, as a job, and do not wait'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand listener; and __fish_seen_subcommand_from drain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -f -a "list" -d 'List the limits in force, and where each comes from'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -f -a "set" -d 'Change limits, for live connections too'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and not __fish_seen_subcommand_from list set remove" -f -a "remove" -d 'Go back to the values in the file'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l listener -d 'Only this listener\'s' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l listener -d 'Of this listener; several times for several [default: the agent]' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l dry-run -d 'Only list the connections that would be closed now'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -s y -l yes -d 'Do not ask, and do not refuse because many connections would be closed'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l listener -d 'Of this listener; several times for several [default: the agent]' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l all -d 'Everything that was set: of the listeners named, or of agent and listeners'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l dry-run -d 'Only list the connections that would be closed now'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -s y -l yes -d 'Do not ask, and do not refuse because many connections would be closed'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand limit; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -f -a "list" -d 'List nodes'
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -f -a "show" -d 'Show the node'
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -f -a "drain" -d 'Turn new connections away on every listener and close the live ones, 50/s where no rate is given'
complete -c connctl -n "__fish_connctl_using_subcommand node; and not __fish_seen_subcommand_from list show drain undrain" -f -a "undrain" -d 'Take new connections again on every listener'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l mode -d 'The dial fails, succeeds and is reset, or hangs [default: refuse]' -r -f -a "refuse\t''
reset\t''
stall\t''"
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l max -d 'Refuse to close more connections than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l max-percent -d 'Refuse to close more than this share of the node\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l grace -d 'How long a close may flush before it is forced [default: 1s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l note -d 'Why, for the log' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l rate -d 'So many connections a second, evenly: 50/s, 3000/m' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l jitter -d 'How far each may be from its even place, as a share of the time between two' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l ramp -d 'Let the rate rise from nothing within this time' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l until-reconnect-rate -d 'Slow down while more clients than this connect: 20/s' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l pause-if -d 'Pause when more than this share fails: 5%, or \'failed > 5%\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -s y -l yes -d 'Do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l dry-run -d 'Show who would be closed, and keep them as a plan for `apply`; no listener is touched'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l idle-first -d 'Those that have been idle the longest first'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l detach -d 'Leave it to the agent, as a job, and do not wait'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from drain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand node; and __fish_seen_subcommand_from undrain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l by -d 'By reason (endings), or by uid, ip, listener or device (live connections)' -r -f -a "reason\t''
uid\t''
ip\t''
listener\t''
device\t''"
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand stats" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand stats" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand stats" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand top" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l sort -d 'Sort by this, - before it for descending: rate, to_upstream_rate, to_client_rate, bytes, idle, age or conn_id' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l limit -d 'At most so many connections [default: as many as fit, 20 without a terminal]' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l every -d 'Look so often' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -s n -l times -d 'Leave after so many looks [default: 1 without a terminal, else when you say so]' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand top" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand top" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand top" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand top" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand top" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand top" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand top" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand top" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand top" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand history" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l since -d 'Only what ended since: a time, or a duration back from now' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l limit -d 'At most so many' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l columns -d 'Only these columns, in this order' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l by -d 'With --count: how many of each value of this field' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand history" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand history" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand history" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand history" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand history" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand history" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand history" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand history" -l count -d 'Only how many'
complete -c connctl -n "__fish_connctl_using_subcommand history" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand history" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand why" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand why" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand why" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand why" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand why" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand why" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand why" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand why" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand why" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand why" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand why" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand why" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand events" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l kind -d 'Only this kind; several times: any of them' -r -f -a "opened\t''
identified\t''
half_closed\t''
warned\t''
ended\t''
listener_changed\t''
policy_changed\t''
revoked\t''
job\t''
gap\t''"
complete -c connctl -n "__fish_connctl_using_subcommand events" -l after -d 'Begin behind the event of this id; 0 is the oldest that the agent keeps' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand events" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand events" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand events" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand events" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand events" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand events" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand events" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand events" -s f -l follow -d 'Go on with what happens from now on, until interrupted'
complete -c connctl -n "__fish_connctl_using_subcommand events" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand events" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -f -a "list" -d 'List what was asked that changes something, the latest first'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and not __fish_seen_subcommand_from list verify" -f -a "verify" -d 'Check that no line was changed, taken away or moved'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l since -d 'Only calls since: a time, or a duration back from now' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l actor -d 'Only calls of this name, as in the ACTOR column' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l verb -d 'Only calls of this verb, as in the VERB column, or of a command: `remove`, \'limit set\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l result -d 'Only calls of which this came' -r -f -a "done\t''
refused\t''
denied\t''
failed\t''
unfinished\t''
cancelled\t''
open\t''
interrupted\t''"
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l limit -d 'At most so many [default: 1000]' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l columns -d 'Only these columns, in this order' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l file -d 'This audit on this machine, with the full files beside it; no agent is asked' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l head -d 'A hash that was kept elsewhere: one of the lines must have it' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l part -d 'The oldest files were moved away: begin with what is there'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l uid -d 'Whose it is' -r
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l device -d 'From which kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l tag -d 'A label to add or to change' -r
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand assign" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand assign" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand assign" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand assign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l uid -d 'The user\'s connections' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l conn-id -d 'The connection of this id' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l ip -d 'From this address or network' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l port -d 'From this port of the client' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l listener -d 'Accepted by this listener' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l node -d 'Held by this node' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l device -d 'From this kind of device' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l tag -d 'With this tag' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l state -d 'In this state: opening, active, half_closed, paused or closing' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l idle-over -d 'No byte for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l age-over -d 'Open for longer than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l where -d 'An expression: \'idle > 10m and ip in 10.0.0.0/8\'' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l for -d 'The condition: count=0, count!=3, count<=10, count>=1, count<5, count>5' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l then -d 'What to do with the connections when the condition holds: remove or reset' -r -f -a "remove\t''
reset\t''"
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l max -d 'With --then: refuse more connections than this' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l rate -d 'With --then: so many connections a second, evenly' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l note -d 'With --then: why, for the log' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand wait" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l all -d 'Every connection'
complete -c connctl -n "__fish_connctl_using_subcommand wait" -s y -l yes -d 'With --then: do not ask'
complete -c connctl -n "__fish_connctl_using_subcommand wait" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand wait" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -f -a "run" -d 'Run an agent in the foreground'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -f -a "status" -d 'Say how the agent is'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -f -a "reload" -d 'Have the agent read its configuration file again'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -f -a "token" -d 'Make a token, and the table for the agent\'s configuration'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and not __fish_seen_subcommand_from run status reload token cert" -f -a "cert" -d 'Make certificates for the control API over TLS'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l forward -d 'Relay connections to an upstream; several upstreams, with commas between, are tried in order' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l echo -d 'Send what a client sends back to it' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l hold -d 'Read what a client sends and discard it' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l control -d 'Where the control API is: unix:PATH, tcp:HOST:PORT (loopback only) or tls:HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l node-id -d 'The agent\'s id, from 1' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l state-dir -d 'Where what must survive a restart is kept; made where it is missing' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l config -d 'Settings from a TOML file; flags win over it' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l threads -d 'Relay threads [default: the cores, at most 4]' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l compat -d 'How facades answer where a system\'s document and code differ [default: documented]' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from reload" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l name -d 'Whose it is: the name in logs and in the audit' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l role -d 'What it allows: viewer reads, operator acts on connections and listeners, admin may everything' -r -f -a "viewer\t''
operator\t''
admin\t''"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -f -a "init" -d 'Make a private CA, a certificate for an agent and one for a client'
complete -c connctl -n "__fish_connctl_using_subcommand agent; and __fish_seen_subcommand_from cert" -f -a "issue" -d 'Make a certificate for one more client, or a new one for the agent, with that CA'
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -f -a "add" -d 'Give an agent a name'
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -f -a "list" -d 'List the names'
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -f -a "use" -d 'Use one where no agent is named'
complete -c connctl -n "__fish_connctl_using_subcommand context; and not __fish_seen_subcommand_from add list use remove" -f -a "remove" -d 'Forget a name'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l use -d 'Use it from now on where no agent is named'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand context; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand completion" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand completion" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand completion" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand completion" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand completion" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand completion" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand completion" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand completion" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand completion" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand completion" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand completion" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand man" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand man" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand man" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand man" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand man" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand man" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand man" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand man" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand man" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand man" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand man" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l agent -d 'Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT' -r
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l context -d 'The agent of this name, see `connctl context`' -r
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l token-file -d 'A file with the token that the agent asks for' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l ca-file -d 'The authority that vouches for an agent over https:// [default: those of the system]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l cert-file -d 'A certificate to show to an agent over https://' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l key-file -d 'The certificate\'s private key [default: in the file of the certificate]' -r -F
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l timeout -d 'How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]' -r
complete -c connctl -n "__fish_connctl_using_subcommand demo" -s o -l output -d 'The form of what is printed' -r -f -a "table\t'Columns for people, as many as fit'
wide\t'Every column, however wide'
json\t'One JSON document'
jsonl\t'One JSON object a line'
csv\t'Comma-separated values'
yaml\t'YAML'
name\t'Only the name of each thing, one a line'"
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l color -d 'Whether to colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l keep -d 'Leave the agent and its clients running until ctrl-c'
complete -c connctl -n "__fish_connctl_using_subcommand demo" -l no-headers -d 'No titles in table, wide and csv'
complete -c connctl -n "__fish_connctl_using_subcommand demo" -s q -l quiet -d 'Nothing on stderr but errors: no summaries, no progress'
complete -c connctl -n "__fish_connctl_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
