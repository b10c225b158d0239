"""What intelligence costs: blends, frontiers and their rates, margins, rent, tasks, plans and demand."""
