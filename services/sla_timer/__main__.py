from services.sla_timer.app import main

if __name__ == "__main__":
    main()
