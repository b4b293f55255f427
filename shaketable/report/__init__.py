"""What people see of a run, made of a run directory alone.

    summary      the verdict in the terminal
    frames       pandas tables
    delivery     what became of the events
    breaker      what every breaker did
    health       what the target said of its health
    script       the one `main` of the scripts in reports/
"""
