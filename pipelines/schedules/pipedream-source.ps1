# Load Pipedream's events every 15m, in WSL: the command does not run on Windows itself.
#
# Run this once in PowerShell: powershell -ExecutionPolicy Bypass -File pipedream-source.ps1
# The paths are those of your default distribution; `--distribution NAME` after the first quote of
# -Argument takes another. The task runs while you are logged in.
#
# The key: in .dlt/secrets.toml in that folder of WSL, for you alone (chmod 600):
#   [sources.pipedream]
#   api_key = "..."
#
# Exit code 75 (0x4B in the list of tasks): another run is loading to the same place, no failure.

$action = New-ScheduledTaskAction -Execute 'wsl.exe' -Argument '--cd /home/you/pipedream --exec /home/you/pipedream/.venv/bin/pipedream-source load --database /home/you/pipedream/pipedream_events.duckdb --quiet'
$trigger = New-ScheduledTaskTrigger -Once -At (Get-Date) `
    -RepetitionInterval (New-TimeSpan -Seconds 900)
$settings = New-ScheduledTaskSettingsSet -MultipleInstances IgnoreNew -StartWhenAvailable `
    -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -ExecutionTimeLimit (New-TimeSpan -Hours 1)
Register-ScheduledTask -TaskName 'pipedream-source load' -Action $action -Trigger $trigger `
    -Settings $settings -Description 'Loads the events of Pipedream' -Force
